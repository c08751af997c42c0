import type { Alert, AlertLine } from '#history'
import type { Subject } from './counts.js'
import { subjectOf } from './says.js'

/** `adopted`: it was taken in after it had fired, so that another collector may know better. */
export type StoredAlert = Alert & { readonly adopted?: true }

/** A stored alert with what is known here besides: what it was when it fired is as who saw that says. */
export function withNews(stored: StoredAlert, known: StoredAlert | undefined): StoredAlert {
  if (!known) return stored
  const base = stored.adopted && !known.adopted ? known : stored
  const { lastAt, lastLine } = known.lastAt > stored.lastAt ? known : stored
  return { ...base, lastAt, lastLine, duplicates: Math.max(stored.duplicates, known.duplicates) }
}

/** An active alert. What a storm changes of it changes in place: the alert is made when somebody asks. */
export class LiveAlert {
  readonly id: string
  readonly pipeline: string
  /** The newest of those that repeated it, not written yet. */
  line: AlertLine | undefined
  #alert: StoredAlert
  #subject: Subject | undefined
  #isOld = false
  #lastAt: number
  #lastLine: string
  #duplicates: number

  constructor(alert: StoredAlert) {
    this.id = alert.id
    this.pipeline = alert.pipeline
    this.#alert = alert
    this.#lastAt = alert.lastAt
    this.#lastLine = alert.lastLine
    this.#duplicates = alert.duplicates
  }

  get alert(): StoredAlert {
    if (this.#isOld) {
      const [lastAt, lastLine, duplicates] = [this.#lastAt, this.#lastLine, this.#duplicates]
      this.#alert = { ...this.#alert, lastAt, lastLine, duplicates }
      this.#isOld = false
    }
    return this.#alert
  }

  set alert(alert: StoredAlert) {
    this.#alert = alert
    this.#isOld = false
    this.#subject = undefined
    this.#lastAt = alert.lastAt
    this.#lastLine = alert.lastLine
    this.#duplicates = alert.duplicates
  }

  /** What its figures are counted under. */
  get subject(): Subject {
    this.#subject ??= subjectOf(this.#alert)
    return this.#subject
  }

  /** Records came, the last with this line. `told`: how many duplicates it has by its records, if they say so. */
  hear(line: AlertLine, duplicates: number, told: number | undefined): void {
    this.line = line
    this.#isOld = true
    this.#lastAt = Math.max(this.#lastAt, line.at)
    this.#lastLine = line.text
    this.#duplicates = Math.max(this.#duplicates, told ?? this.#duplicates + duplicates)
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
