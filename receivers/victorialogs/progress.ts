import { type Clock, formatRfc3339, type Logger, nsToMs } from 'tocsin/component'

const EVERY_MS = 10_000

export interface ProgressOptions {
  readonly logger: Logger
  readonly clock: Clock
  readonly from: bigint
  readonly to: bigint
  readonly remaining: (seconds: number) => void
}

/** Says how far the reading of a gap has come: at its end, and every ten seconds when it takes long. */
export class Progress {
  readonly #options: ProgressOptions
  #records = 0
  #saidMs: number

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#saidMs = options.clock.monotonicMs()
    this.#measure(options.from)
  }

  /** More records were read; `end` when all up to there are. */
  read(records: number, end: bigint | undefined): void {
    this.#records += records
    if (end === undefined) return
    const remainingMs = this.#measure(end)
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs - this.#saidMs < EVERY_MS || remainingMs <= 0) return
    this.#saidMs = nowMs
    this.#options.logger.info('A gap is being filled.', {
      read_to: formatRfc3339(end),
      remaining_s: Math.ceil(remainingMs / 1_000),
      log_records: this.#records,
    })
  }

  done(): void {
    const { logger, from, to } = this.#options
    logger.info('A gap was filled.', {
      from: formatRfc3339(from),
      to: formatRfc3339(to),
      log_records: this.#records,
    })
  }

  #measure(end: bigint): number {
    const remainingMs = Math.max(0, nsToMs(this.#options.to - end))
    this.#options.remaining(remainingMs / 1_000)
    return remainingMs
  }
}
