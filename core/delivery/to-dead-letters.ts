import { errorText } from '../component/errors.js'
import type { Records } from '../model/index.js'
import { backoffMs, PERSISTENT } from './backoff.js'
import type { Troubles } from './troubles.js'
import type { DeliveryOptions } from './types.js'

export interface GivingUpOptions extends Pick<DeliveryOptions, 'id' | 'deadLetters' | 'clock' | 'random'> {
  readonly troubles: Troubles
  /** Aborted: no further try. */
  readonly settle: AbortSignal
  /** Aborted: no try at all. */
  readonly abort: AbortSignal
}

/** Hands to the dead letters what cannot be delivered. */
export class GivingUp {
  readonly #options: GivingUpOptions
  /** Records that are kept. */
  kept = 0
  /** Records that are not: there is no store, or it is full. */
  dropped = 0

  constructor(options: GivingUpOptions) {
    this.#options = options
  }

  /** Tries until the store takes them; false when the delivery stops before. */
  async deadLetter(records: Records, pipeline: string, reason: string, detail: string): Promise<boolean> {
    const { id, deadLetters, clock, random, troubles, settle, abort } = this.#options
    const letter = { component: `exporter/${id}`, pipeline, reason, detail, records }
    for (let tries = 1; !abort.aborted; tries++) {
      try {
        if (await deadLetters.add(letter)) this.kept += records.length
        else this.dropped += records.length
        troubles.storing.worked()
        return true
      } catch (error) {
        troubles.storing.failed('The dead letters cannot be stored.', errorText(error), records.length)
        await clock.sleep(backoffMs(PERSISTENT, tries, random), settle)
        if (settle.aborted) return false
      }
    }
    return false
  }
}
