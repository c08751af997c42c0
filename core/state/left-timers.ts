import type { ClaimedTimer, StateStore } from '../component/storage.js'
import { msToNs } from '../model/time.js'
import type { KeyedRuntimeOptions } from './runtime-types.js'

/** A shared store's timer outcomes that their collector did not release in this time are another's to deliver. */
const CLAIM_AFTER_MS = 60_000
const CLAIM_EVERY_MS = 10_000

/** Takes over what timers decided and nobody delivered: before a crash, or in another collector that is gone. */
export class LeftTimers {
  readonly #store: Pick<StateStore<unknown>, 'claim'>
  readonly #options: Pick<KeyedRuntimeOptions, 'clock' | 'shared'>
  readonly #createdAt: bigint
  /** Timers whose outcome is on its way: this collector must not claim them. */
  readonly #undelivered = new Set<string>()
  #state: 'never' | 'partly' | 'all' = 'never'
  #nextMs = 0

  constructor(
    store: Pick<StateStore<unknown>, 'claim'>,
    options: Pick<KeyedRuntimeOptions, 'clock' | 'shared'>,
  ) {
    this.#store = store
    this.#options = options
    this.#createdAt = options.clock.now()
  }

  /** The last call found some: there may be more. */
  get more(): boolean {
    return this.#state === 'partly'
  }

  /** An outcome of this collector's own, until it is `delivered`. */
  own(id: string): void {
    this.#undelivered.add(id)
  }

  delivered(id: string): void {
    this.#undelivered.delete(id)
  }

  /** None when it is not time to look. */
  async take(limit: number): Promise<ClaimedTimer[]> {
    const { clock, shared } = this.#options
    if (this.#state === 'all' && (!shared || clock.monotonicMs() < this.#nextMs)) return []
    const now = clock.now()
    const before = shared ? now - msToNs(CLAIM_AFTER_MS) : this.#createdAt
    const stamp = now > before ? now : before + 1n
    const claimed = await this.#store.claim(before, stamp, limit)
    this.#state = claimed.length > 0 ? 'partly' : 'all'
    this.#nextMs = clock.monotonicMs() + CLAIM_EVERY_MS
    const ours = claimed.filter(({ recordId }) => !this.#undelivered.has(recordId))
    for (const { recordId } of ours) this.#undelivered.add(recordId)
    return ours
  }
}
