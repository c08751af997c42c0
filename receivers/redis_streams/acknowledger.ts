import { type Clock, errorText, type Logger, type Settled } from 'tocsin/component'
import type { LeaseTerm } from '#state'

export interface AcknowledgerOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** False when the lease is lost. Rejects when Redis fails. */
  readonly acknowledge: (ids: readonly string[]) => Promise<boolean>
  readonly acknowledged: (count: number) => void
}

interface Settlement {
  readonly id: string
  /** Undefined when there was nothing in it. */
  readonly settled: Settled | undefined
}

const AT_ONCE = 500
const RETRY_MS = 500

/**
 * Acknowledges settled entries, those of one turn together, and releases them then. What cannot be acknowledged any
 * more, because the lease is lost, is not released: the next holder delivers it again.
 */
export class Acknowledger {
  #waiting: Settlement[] = []
  #flushing: Promise<void> | undefined

  constructor(
    private readonly term: LeaseTerm,
    private readonly options: AcknowledgerOptions,
  ) {}

  add(settlement: Settlement): void {
    this.#waiting.push(settlement)
    this.#flushing ??= this.#flush()
  }

  /** Resolves when all that was added is acknowledged, or the lease is lost. */
  async flushed(): Promise<void> {
    await this.#flushing
  }

  async #flush(): Promise<void> {
    const { clock, logger, acknowledge, acknowledged } = this.options
    await Promise.resolve()
    let failing = false
    // Not by the signal, which may come later: what is settled since the term ran out was perhaps only given up.
    while (this.#waiting.length > 0 && this.term.held()) {
      const some = this.#waiting.slice(0, AT_ONCE)
      try {
        if (!(await acknowledge(some.map(({ id }) => id)))) break
        this.#waiting.splice(0, some.length)
        for (const { settled } of some) settled?.release()
        acknowledged(some.length)
        failing = false
      } catch (error) {
        if (!failing) {
          logger.warn('Settled entries could not be acknowledged; it is tried again.', {
            reason: errorText(error),
          })
        }
        failing = true
        await clock.sleep(RETRY_MS, this.term.signal)
      }
    }
    // Left by a lost lease.
    if (this.#waiting.length > 0) this.#waiting = []
    // Not a turn later: what is added meanwhile would wait for the next.
    this.#flushing = undefined
  }
}
