import type { Clock, ComponentStatus, Logger } from '../component/context.js'

export interface ExporterHealthOptions {
  readonly id: string
  readonly clock: Clock
  readonly logger: Logger
  reportStatus(status: ComponentStatus): void
}

/** What can go wrong with an exporter. It is well again when all of it is over. */
export class ExporterHealth {
  readonly sending: Trouble
  readonly refusing: Trouble
  readonly storing: Trouble
  readonly full: Trouble

  readonly #report: (status: ComponentStatus) => void
  #said = ''

  constructor({ reportStatus, ...options }: ExporterHealthOptions) {
    this.#report = reportStatus
    const common = { ...options, changed: () => this.#say() }
    this.sending = new Trouble('Sending works again.', common)
    this.refusing = new Trouble('The destination takes records again.', common)
    this.storing = new Trouble('The storage works again.', common)
    this.full = new Trouble('The queue has room again.', common)
  }

  #say(): void {
    const all = [this.sending, this.refusing, this.storing, this.full]
    const message = all.flatMap(trouble => trouble.message ?? []).join(' ')
    if (message === this.#said) return
    this.#said = message
    this.#report(message === '' ? { status: 'ok' } : { status: 'recoverable_error', message })
  }
}

const REPEAT_MS = 60_000

interface TroubleOptions {
  readonly id: string
  readonly clock: Clock
  readonly logger: Logger
  /** It began, its reason is another, or it is over. */
  readonly changed: () => void
}

/** Tells of trouble once at its start, at most once a minute while it lasts, and when it is over. */
export class Trouble {
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
  constructor(over: string, { id, clock, logger, changed }: TroubleOptions) {
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

/** A queue at its limit is full and not full many times a second: it has room when it has had it for so long. */
const ROOM_MS = 5_000

/** Tells that a queue is full, which holds up its pipelines, and when it has had room for a while. */
export class FullQueue {
  readonly #trouble: Trouble
  readonly #clock: Clock
  readonly #describe: () => string
  #cancel: (() => void) | undefined

  constructor(trouble: Trouble, clock: Clock, describe: () => string) {
    this.#trouble = trouble
    this.#clock = clock
    this.#describe = describe
  }

  /** Called when the queue may have filled up or emptied. */
  look(full: boolean): void {
    if (full) {
      this.close()
      if (!this.#trouble.lasting)
        this.#trouble.failed('The queue is full: its pipelines wait, and their sources.', this.#describe())
    } else if (this.#trouble.lasting) {
      this.#cancel ??= this.#clock.schedule(ROOM_MS, () => {
        this.#cancel = undefined
        this.#trouble.worked()
      })
    }
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
