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

/**
 * What is known of a key of late. It changes in place: a storm decides the same of the same keys again and again. Of each record
 * only numbers and the body are noted anew: whatever is kept until the next one, collections of garbage move.
 */
interface Note {
  readonly key: string
  /** The severity of its active alert, as far as this collector knows. */
  label: string | undefined
  /** The last look through the store that it was heard of in. */
  look: number
  /** Records that were decided alike, and of which nobody was told. */
  count: number
  /** What was decided for the first of them; the next two are of the newest. */
  outcome: Outcome | undefined
  duplicates: number
  accumulated: number
  /** Of the newest. */
  body: AnyValue
  time: bigint
  /** When it came, microseconds since the epoch: a number changes in place. */
  atUs: number
  /** Of the first: what a key is made of is the same in all. */
  attributes: Attributes
  resource: Resource
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
  #atUs = 0

  constructor(private readonly limit: number) {}

  watch(): Decisions {
    this.#watched = true
    return this
  }

  /** When what is noted from now on came, ns since the epoch. */
  begin(at: bigint): void {
    this.#at = at
    this.#atUs = Number(at / 1_000n)
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
    const like = note.outcome
    if (like === undefined) this.#begin(note, outcome, record)
    else if (like.status !== outcome.status || like.eventId !== outcome.eventId) {
      this.#news.push(taken(note))
      this.#begin(note, outcome, record)
    } else if (!differsInNumbers(like, outcome)) note.outcome = outcome
    note.count++
    note.duplicates = outcome.duplicates ?? 0
    note.accumulated = outcome.count ?? 0
    const { body } = record
    note.body = body
    // They are its line, then.
    if (!body) note.attributes = record.attributes
    note.time = record.time
    note.atUs = this.#atUs
  }

  #begin(note: Note, outcome: Outcome, record: LogRecord): void {
    note.outcome = outcome
    note.attributes = record.attributes
    note.resource = record.resource
    if (outcome.status === 'alert_accumulating') note.first = { record, at: this.#at }
    if (!note.listed) this.#list(note)
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
      duplicates: 0,
      accumulated: 0,
      body: null,
      time: 0n,
      // No integer: V8 gives those that fit another place, and would make an object of each later time.
      atUs: 0.5,
      attributes: NO_ATTRIBUTES,
      resource: NO_RESOURCE,
      first: undefined,
      listed: false,
    }
    this.#notes.set(key, note)
    return note
  }
}

function taken(note: Note): Decided {
  const { count, atUs, first } = note
  const like = note.outcome as Outcome
  const outcome = {
    ...like,
    ...(like.duplicates !== undefined && { duplicates: note.duplicates }),
    ...(like.count !== undefined && { count: note.accumulated }),
  }
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
  note.resource = NO_RESOURCE
  note.outcome = undefined
  note.first = undefined
  return {
    record,
    count,
    at: BigInt(Math.floor(atUs)) * 1_000n,
    ...(first && { first }),
  }
}

function said(record: LogRecord, outcome: Outcome): LogRecord {
  return record.patch({ attributes: withAlert(record.attributes, outcome) })
}

/** Of one episode: and in nothing else. */
function differsInNumbers(a: Outcome, b: Outcome): boolean {
  return a.row === b.row && a.first === b.first && a.cut === b.cut
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
