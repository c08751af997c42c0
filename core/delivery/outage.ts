import type { Clock, Logger } from '../component/context.js'

const REPEAT_MS = 60_000

interface OutageOptions {
  readonly id: string
  readonly clock: Clock
  readonly logger: Logger
  /** It began, its reason is another, or it is over. */
  readonly changed: () => void
}

/** Tells of trouble once at its start, at most once a minute while it lasts, and when it is over. */
export class Outage {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #changed: () => void
  readonly #exporter: string
  readonly #over: string
  #sinceMs: number | undefined
  #message = ''
  #loggedMs: number | undefined
  #unlogged = 0
  #total = 0
  #told = false

  /** `over` is the sentence for when it is over. */
  constructor(over: string, { id, clock, logger, changed }: OutageOptions) {
    this.#over = over
    this.#exporter = id
    this.#clock = clock
    this.#logger = logger
    this.#changed = changed
  }

  get lasting(): boolean {
    return this.#sinceMs !== undefined
  }

  /** What is wrong now, for people; undefined when nothing is. */
  get message(): string | undefined {
    return this.lasting ? this.#message : undefined
  }

  /** `message` is a sentence about `count` records or attempts, `reason` what was found. */
  failed(message: string, reason: string, count = 1): void {
    const now = this.#clock.monotonicMs()
    this.#sinceMs ??= now
    this.#message = `${message} ${reason}`
    this.#changed()
    this.#unlogged += count
    this.#total += count
    // Trouble that comes and goes is told of once a minute too.
    if (this.#loggedMs !== undefined && now - this.#loggedMs < REPEAT_MS) return
    this.#logger.warn(message, { exporter: this.#exporter, reason, failures: this.#unlogged })
    this.#loggedMs = now
    this.#unlogged = 0
    this.#told = true
  }

  worked(): void {
    if (this.#sinceMs === undefined) return
    if (this.#told) {
      this.#logger.info(this.#over, {
        exporter: this.#exporter,
        failures: this.#total,
        seconds: Math.round((this.#clock.monotonicMs() - this.#sinceMs) / 1000),
      })
    }
    this.#sinceMs = undefined
    this.#total = 0
    this.#told = false
    this.#changed()
  }
}
