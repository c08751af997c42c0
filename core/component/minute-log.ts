import type { Clock, LogAttributes, Logger } from './context.js'

const MINUTE_MS = 60_000

interface Entry {
  count: number
  tell: (count: number) => void
}

/**
 * Logs what happens again and again by its counts: the first of a kind at once, then what came since, once a minute
 * while more comes. Kinds are few: they are bounded by the configuration and by named reasons.
 */
export class MinuteLog {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  #cancel: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `tell` logs a count of this kind; the last one given is used. */
  add(kind: string, count: number, tell: (count: number) => void): void {
    const entry = this.#entries.get(kind)
    if (entry) {
      entry.count += count
      entry.tell = tell
      return
    }
    this.#entries.set(kind, { count: 0, tell })
    this.#cancel ??= this.#clock.schedule(MINUTE_MS, () => this.#minute())
    tell(count)
  }

  /** Logs what is left. */
  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
    for (const { count, tell } of this.#entries.values()) if (count > 0) tell(count)
    this.#entries.clear()
  }

  #minute(): void {
    for (const [kind, entry] of this.#entries) {
      const { count } = entry
      entry.count = 0
      if (count > 0) entry.tell(count)
      else this.#entries.delete(kind)
    }
    this.#cancel = this.#entries.size > 0 ? this.#clock.schedule(MINUTE_MS, () => this.#minute()) : undefined
  }
}

/** `ComponentContext.oncePerMinute` over a logger; `close` logs what is left. Attributes do not tell messages apart. */
export function oncePerMinute(logger: Logger, clock: Clock): Logger & { close(): void } {
  const told = new MinuteLog(clock)
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, attributes?: LogAttributes): void =>
      told.add(`${level} ${message}`, 1, times =>
        logger[level](message, times > 1 ? { ...attributes, times } : attributes),
      )
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    close: () => told.close(),
  }
}
