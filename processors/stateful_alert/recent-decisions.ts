import {
  type AnyValue,
  type Attributes,
  createRecord,
  type Decided,
  type Decisions,
  isMap,
  type LogRecord,
  NO_ATTRIBUTES,
  NO_RESOURCE,
  type Records,
  type Resource,
  severityNumber,
} from 'tocsin/component'
import { isNotifying, type Outcome } from './outcome.js'
import { withAlert } from './output.js'

/** What is known of a key of late. It changes in place: a storm decides the same of the same keys again and again. */
interface Note {
  readonly key: string
  /** The severity of its active alert, as far as this collector knows. */
  label: string | undefined
  /** The last look through the store that it was heard of in. */
  look: number
  /** Records that were decided alike, and of which nobody was told. */
  count: number
  /** Of the newest of them, without the record: whatever is kept until the next one, collections of garbage move. */
  outcome: Outcome | undefined
  time: bigint
  body: AnyValue
  attributes: Attributes
  resource: Resource
  at: bigint
  first: Decided['first']
  /** It is among those that `repeats` looks at. */
  listed: boolean
}

/**
 * What was decided of late, by key: which alerts are active, for the metric, from what was decided here and from looking through
 * the store now and then; and for those who watch, what is new and what only repeated.
 */
export class RecentDecisions implements Decisions {
  readonly #notes = new Map<string, Note>()
  /** A severity whose last alert ended is told as 0. */
  readonly #told = new Set<string>()
  #look = 0
  #watched = false
  #news: Decided[] = []
  #repeated: Note[] = []
  #at = 0n

  constructor(private readonly limit: number) {}

  watch(): Decisions {
    this.#watched = true
    return this
  }

  /** When what is noted from now on came, ns since the epoch. */
  begin(at: bigint): void {
    this.#at = at
  }

  /** `record`: what they were decided for, if not for a timer; `records`: what was made of them. */
  note(outcomes: readonly Outcome[], records: Records, record?: LogRecord): void {
    let isNew = false
    for (const outcome of outcomes) {
      const { status } = outcome
      if (isNotifying(outcome) || status === 'heartbeat_scan') {
        isNew = true
        this.#turn(outcome)
      } else if (record && (status === 'alert_duplicate' || this.#watched)) this.#repeat(outcome, record)
    }
    if (isNew) this.tell(records)
  }

  /** Those that say something new. */
  tell(records: Records): void {
    if (!this.#watched) return
    for (const record of records) if (isNews(record)) this.#news.push({ record, count: 1, at: this.#at })
  }

  news(): readonly Decided[] {
    const news = this.#news
    if (news.length > 0) this.#news = []
    return news
  }

  repeats(): readonly Decided[] {
    const repeated = this.#repeated
    this.#repeated = []
    return repeated.flatMap(note => {
      note.listed = false
      if (note.label === undefined && this.#notes.get(note.key) === note) this.#notes.delete(note.key)
      return note.count > 0 ? [taken(note)] : []
    })
  }

  beginLook(): void {
    this.#look++
  }

  seen(key: string, severity: string | undefined): void {
    if (severity === undefined) this.#notes.delete(key)
    else this.#raise(key, severity)
  }

  endLook(): void {
    for (const [key, note] of this.#notes) if (note.look !== this.#look) this.#notes.delete(key)
  }

  bySeverity(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const label of this.#told) counts.set(label, 0)
    for (const { label } of this.#notes.values())
      if (label !== undefined) counts.set(label, (counts.get(label) ?? 0) + 1)
    return counts
  }

  /** An alert fired or ended. */
  #turn({ status, key, row, recovered }: Outcome): void {
    const note = this.#notes.get(key)
    if (note && note.count > 0) this.#news.push(taken(note))
    if (status !== 'alert') this.#notes.delete(key)
    else if (!recovered) this.#raise(key, row.severity)
  }

  /** What a storm consists of: one look-up, and a few fields. */
  #repeat(outcome: Outcome, record: LogRecord): void {
    const { status, key } = outcome
    const note = this.#notes.get(key) ?? this.#add(key)
    if (!note) {
      if (this.#watched) this.#news.push({ record: said(record, outcome), count: 1, at: this.#at })
      return
    }
    if (status === 'alert_duplicate') this.#label(note, outcome.row.severity)
    if (!this.#watched) return
    if (note.outcome && !isLike(note.outcome, outcome)) this.#news.push(taken(note))
    if (note.count++ === 0) {
      if (status === 'alert_accumulating') note.first = { record, at: this.#at }
      if (!note.listed) this.#list(note)
    }
    note.outcome = outcome
    note.time = record.time
    note.body = record.body
    if (note.attributes !== record.attributes) note.attributes = record.attributes
    if (note.resource !== record.resource) note.resource = record.resource
    note.at = this.#at
  }

  #list(note: Note): void {
    note.listed = true
    this.#repeated.push(note)
  }

  #raise(key: string, severity: string): void {
    const note = this.#notes.get(key) ?? this.#add(key)
    if (note) this.#label(note, severity)
  }

  #label(note: Note, severity: string): void {
    const label = severityLabel(severity)
    note.look = this.#look
    if (note.label === label) return
    note.label = label
    this.#told.add(label)
  }

  #add(key: string): Note | undefined {
    if (this.#notes.size >= this.limit) return undefined
    const note: Note = {
      key,
      label: undefined,
      look: -1,
      count: 0,
      outcome: undefined,
      time: 0n,
      body: null,
      attributes: NO_ATTRIBUTES,
      resource: NO_RESOURCE,
      at: 0n,
      first: undefined,
      listed: false,
    }
    this.#notes.set(key, note)
    return note
  }
}

function taken(note: Note): Decided {
  const { count, at, first } = note
  const outcome = note.outcome as Outcome
  const { key, time: timestamp, body, resource } = note
  const attributes = withAlert(note.attributes, outcome)
  const record = createRecord({
    id: key,
    timestamp,
    body,
    attributes,
    resource,
    severityText: outcome.row.severity,
  })
  note.count = 0
  note.body = null
  note.attributes = NO_ATTRIBUTES
  note.outcome = undefined
  note.first = undefined
  return {
    record,
    count,
    at,
    ...(first && { first }),
  }
}

function said(record: LogRecord, outcome: Outcome): LogRecord {
  return record.patch({ attributes: withAlert(record.attributes, outcome) })
}

/** Of the same episode. */
function isLike(a: Outcome, b: Outcome): boolean {
  return a.status === b.status && a.eventId === b.eventId
}

function isNews({ attributes: { alert } }: LogRecord): boolean {
  return (
    isMap(alert) &&
    (alert.status === 'alert' || alert.status === 'recovery' || alert.status === 'heartbeat_scan')
  )
}
/** Of the severity asked for last: most alerts of a storm have the same. */
let last = { severity: '', label: 'other' }

/** A known word in lower case, or `other`: what users write must not make endless series. */
export function severityLabel(severity: string): string {
  if (severity !== last.severity) last = { severity, label: labelOf(severity) }
  return last.label
}

function labelOf(severity: string): string {
  const word = severity.trim().toLowerCase()
  return severityNumber(word) === 0 ? 'other' : word
}
