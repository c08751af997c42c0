import { isMap, type LogRecord, nsToMs } from 'tocsin/component'
import type { Alert, AlertLine } from '#history'
import { count, line } from './says.js'

/** `adopted`: it was taken in after it had fired, so that another collector may know better. */
export type StoredAlert = Alert & { readonly adopted?: true }

/** A stored alert with what is known here besides: what it was when it fired is as who saw that says. */
export function withNews(stored: StoredAlert, known: StoredAlert | undefined): StoredAlert {
  if (!known) return stored
  const base = stored.adopted && !known.adopted ? known : stored
  const { lastAt, lastLine } = known.lastAt > stored.lastAt ? known : stored
  return { ...base, lastAt, lastLine, duplicates: Math.max(stored.duplicates, known.duplicates) }
}

/** An active alert. What a storm does to it is a few fields a record or a batch; the rest waits for `settle`. */
export class LiveAlert {
  /** Duplicates, and what accumulates to its recovery, that are not in the figures yet. */
  duplicates = 0
  accumulating = 0
  /** Something came since the last `settle`. */
  heard = false
  /** Of the batch that is looked at: kept longer, each of a storm would live until the collector of old objects comes. */
  newest: LogRecord | undefined
  /** When it came, ms since the epoch. */
  newestAt = 0
  #text = ''
  #status = ''
  #time = 0n
  #told: number | undefined
  /** The newest, not written yet. */
  line: AlertLine | undefined

  /** Duplicates before it was here, and those that are in the figures: what it has when its records do not say. */
  #counted: number

  constructor(public alert: StoredAlert) {
    this.#counted = alert.duplicates
  }

  /** What is not in the figures yet, for them. */
  takeCounts(): { readonly duplicates: number; readonly accumulating: number } {
    const { duplicates, accumulating } = this
    this.#counted += duplicates
    this.duplicates = 0
    this.accumulating = 0
    return { duplicates, accumulating }
  }

  /** At the end of a batch: what is wanted of its newest record. */
  release(): void {
    const { newest } = this
    if (!newest) return
    this.newest = undefined
    const { alert } = newest.attributes
    this.#text = line(newest)
    this.#time = newest.time
    this.#status = isMap(alert) && typeof alert.status === 'string' ? alert.status : ''
    this.#told = isMap(alert) ? count(alert, 'duplicate_count') : undefined
  }

  /** Takes in what came since the last time. */
  settle(): void {
    if (!this.heard) return
    this.heard = false
    this.release()
    const { newestAt } = this
    const text = this.#text
    const duplicates = Math.max(this.alert.duplicates, this.#told ?? this.#counted + this.duplicates)
    this.alert = { ...this.alert, lastAt: newestAt, lastLine: text, duplicates }
    this.line = { at: newestAt, time: nsToMs(this.#time), status: this.#status, text }
  }
}

/** The active alerts, of all collectors that share the storage. */
export class LiveAlerts {
  readonly #byId = new Map<string, LiveAlert>()
  /** Ids by pipeline and key: there is one active alert of each. */
  readonly #byKey = new Map<string, string>()
  #sorted: readonly LiveAlert[] | undefined

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.#byId.size
  }

  get(id: string): LiveAlert | undefined {
    return this.#byId.get(id)
  }

  ofKey(pipeline: string, key: string): LiveAlert | undefined {
    return this.#byId.get(this.#byKey.get(keyOf(pipeline, key)) ?? '')
  }

  /** Undefined when there are too many. */
  add(alert: StoredAlert): LiveAlert | undefined {
    const known = this.#byId.get(alert.id)
    if (!known && this.#byId.size >= this.limit) return undefined
    const live = known ?? new LiveAlert(alert)
    live.alert = alert
    this.#byId.set(alert.id, live)
    this.#byKey.set(keyOf(alert.pipeline, alert.key), alert.id)
    if (!known) this.#sorted = undefined
    return live
  }

  delete(id: string): void {
    const live = this.#byId.get(id)
    if (!live) return
    this.#byId.delete(id)
    const { pipeline, key } = live.alert
    if (this.#byKey.get(keyOf(pipeline, key)) === id) this.#byKey.delete(keyOf(pipeline, key))
    this.#sorted = undefined
  }

  [Symbol.iterator](): Iterator<LiveAlert> {
    return this.#byId.values()
  }

  /** Newest first. */
  sorted(): readonly LiveAlert[] {
    this.#sorted ??= [...this.#byId.values()].sort((a, b) => compare(a.alert, b.alert))
    return this.#sorted
  }
}

/** Newest first. */
export function compare(a: Pick<Alert, 'firedAt' | 'id'>, b: Pick<Alert, 'firedAt' | 'id'>): number {
  return b.firedAt - a.firedAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

function keyOf(pipeline: string, key: string): string {
  return `${pipeline}\n${key}`
}
