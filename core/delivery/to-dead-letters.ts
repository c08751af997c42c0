import { errorText } from '../component/errors.js'
import type { Records } from '../model/index.js'
import type { ExporterHealth } from './exporter-health.js'
import { backoffMs, PERSISTENT } from './retry.js'
import type { DeliveryOptions } from './types.js'

export interface ToDeadLettersOptions
  extends Pick<DeliveryOptions, 'id' | 'deadLetters' | 'clock' | 'random'> {
  readonly health: ExporterHealth
  /** Aborted: no further try. */
  readonly settle: AbortSignal
  /** Aborted: no try at all. */
  readonly abort: AbortSignal
}

/** Hands to the dead letters what cannot be delivered. */
export class ToDeadLetters {
  readonly #options: ToDeadLettersOptions
  /** Records that are kept. */
  kept = 0
  /** Records that are not: there is no store, or it is full. */
  dropped = 0

  constructor(options: ToDeadLettersOptions) {
    this.#options = options
  }

  /** Tries until the store takes them; false when the delivery stops before. */
  async deadLetter(records: Records, pipeline: string, reason: string, detail: string): Promise<boolean> {
    const { id, deadLetters, clock, random, health, settle, abort } = this.#options
    const letter = { component: `exporter/${id}`, pipeline, reason, detail, records }
    for (let tries = 1; !abort.aborted; tries++) {
      try {
        if (await deadLetters.add(letter)) this.kept += records.length
        else this.dropped += records.length
        health.storing.worked()
        return true
      } catch (error) {
        health.storing.failed('The dead letters cannot be stored.', errorText(error), records.length)
        await clock.sleep(backoffMs(PERSISTENT, tries, random), settle)
        if (settle.aborted) return false
      }
    }
    return false
  }
}
