import { createHash } from 'node:crypto'
import type { Codec, JournalEntry, JournalRef, StateChange } from 'tocsin/component'
import type { JournalRow, StateIndex } from '#state'
import type { Database } from './database.js'
import type { Row } from './open-database.js'

const STATE_ROW = 0x73
/** Of one entry: of a timer, and of records that an earlier version wrote. */
const JOURNAL_ROW = 0x6a
/** Of all other entries of a write; with a number after its key, those of them that are gone. */
const BATCH_ROW = 0x62
const LONGEST_PLAIN = 400
const HASHED = 0xffff
/** Loading lets others run after so many rows. */
const ROWS_A_TURN = 2_000

/**
 * A row holds its numbers, then its texts with their lengths, so that nothing needs to be escaped:
 * `version due pinned keyLength key state`, `at timer keyLength idLength key id outcome`; for a batch `at changes`, then
 * for each change `keyLength entries key`, and for each entry `idLength outcomeLength id outcome`: an outcome ends as the one
 * before it, or as a text whose length and text are given (`idLength outcomeLength:endLength id outcome end`).
 */
export function stateRow<S>(
  database: Database,
  namespace: string,
  { key, state, due, pinned }: StateChange<S>,
  version: number,
  codec: Codec<S>,
): Row {
  const rowKey = stateKey(database, namespace, key)
  if (state === undefined) return { key: rowKey, value: undefined }
  const head = `${version} ${due ?? '-'} ${pinned ? 1 : 0} ${key.length} `
  return { key: rowKey, value: Buffer.from(head + key + codec.encode(state)) }
}

export function journalRow(
  database: Database,
  namespace: string,
  key: string,
  { recordId, outcome, timer }: JournalEntry,
  at: bigint,
): Row {
  const head = `${at} ${timer ? 1 : 0} ${key.length} ${recordId.length} `
  return {
    key: journalKey(database, namespace, { key, recordId }),
    value: Buffer.from(head + key + recordId + outcome),
  }
}

/** The entries of records that a write decided, and how many of them are left. */
export interface BatchRow extends JournalRow {
  readonly key: Buffer
  /** How many rows say which are gone. */
  goneRows: number
}

/** `version`: no other write of the namespace has it. Undefined when no record's outcome is to be kept. */
export function batchRow(
  database: Database,
  namespace: string,
  changes: readonly StateChange<unknown>[],
  { version, at }: { readonly version: number; readonly at: bigint },
): { readonly batch: BatchRow; readonly row: Row } | undefined {
  const texts: string[] = []
  let count = 0
  let shared = ''
  for (const { key, journal } of changes) {
    const head = texts.push('') - 1
    let entries = 0
    for (const { recordId, outcome, parts, timer } of journal) {
      if (timer) continue
      entries++
      const own = parts?.own ?? outcome
      const end = parts?.shared ?? ''
      if (end === shared) texts.push(`${recordId.length} ${own.length} `, recordId, own)
      else texts.push(`${recordId.length} ${own.length}:${end.length} `, recordId, own, end)
      shared = end
    }
    if (entries === 0) continue
    count++
    texts[head] = `${key.length} ${entries} ${key}`
  }
  if (count === 0) return undefined
  const key = batchKey(database, namespace, version)
  return {
    batch: { key, left: 0, goneRows: 0 },
    row: { key, value: Buffer.from(`${at} ${count} ${texts.join('')}`) },
  }
}

/** Some of a batch are gone, and others stay: `keyLength idLength key id` for each. */
export function goneRow(batch: BatchRow, gone: readonly JournalRef[]): Row {
  const texts = gone.map(({ key, recordId }) => `${key.length} ${recordId.length} ${key}${recordId}`)
  return { key: goneKey(batch, batch.goneRows++), value: Buffer.from(texts.join('')) }
}

/** All that a batch has. */
export function rowKeysOf(batch: BatchRow): Buffer[] {
  return [batch.key, ...Array.from({ length: batch.goneRows }, (_, at) => goneKey(batch, at))]
}

function goneKey({ key }: BatchRow, at: number): Buffer {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(at)
  return Buffer.concat([key, number])
}

function batchKey(database: Database, namespace: string, version: number): Buffer {
  const rest = Buffer.alloc(8)
  rest.writeBigUInt64BE(BigInt(version))
  return database.rowKey(BATCH_ROW, namespace, rest)
}

export function journalKey(database: Database, namespace: string, { key, recordId }: JournalRef): Buffer {
  return database.rowKey(JOURNAL_ROW, namespace, Buffer.concat([shortRef(key), shortRef(recordId)]))
}

export function stateKey(database: Database, namespace: string, key: string): Buffer {
  return database.rowKey(STATE_ROW, namespace, shortRef(key))
}

/** Unique, and short enough for a key of LMDB: the row holds the text itself. */
function shortRef(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.allocUnsafe(2)
  if (bytes.length <= LONGEST_PLAIN) {
    length.writeUInt16BE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  length.writeUInt16BE(HASHED)
  return Buffer.concat([length, createHash('sha256').update(bytes).digest()])
}

/** Fills an empty index; answers how many rows could not be decoded. */
export async function loadState<S>(
  database: Database,
  namespace: string,
  codec: Codec<S>,
  index: StateIndex<S>,
): Promise<number> {
  const states: { key: string; state: S; due: bigint | undefined; pinned: boolean; version: number }[] = []
  let unreadable = 0
  for await (const { text } of rowsOf(database, STATE_ROW, namespace)) {
    const row = new RowText(text)
    const [version, due, pinned] = [row.field(), row.field(), row.field()]
    try {
      states.push({
        key: row.text(row.number()),
        state: codec.decode(row.rest()),
        due: due === '-' ? undefined : BigInt(due),
        pinned: pinned === '1',
        version: Number(version),
      })
    } catch {
      unreadable++
    }
  }
  states.sort((a, b) => a.version - b.version)
  for (const { key, state, due, pinned, version } of states) index.restore(key, state, due, pinned, version)

  const journal: { key: string; entries: JournalEntry[]; at: bigint; batch?: BatchRow }[] = []
  for await (const { text } of rowsOf(database, JOURNAL_ROW, namespace)) {
    const row = new RowText(text)
    const at = BigInt(row.field())
    const timer = row.field() === '1'
    const [keyLength, idLength] = [row.number(), row.number()]
    const key = row.text(keyLength)
    journal.push({ key, entries: [{ recordId: row.text(idLength), outcome: row.rest(), timer }], at })
  }
  let last: BatchRow | undefined
  const gone = new Map<BatchRow, Set<string>>()
  for await (const { rowKey, text } of rowsOf(database, BATCH_ROW, namespace)) {
    const row = new RowText(text)
    if (last && rowKey.length > last.key.length) {
      const those = gone.get(last) ?? new Set()
      gone.set(last, those)
      last.goneRows++
      while (!row.isOver) {
        const [keyLength, idLength] = [row.number(), row.number()]
        those.add(`${keyLength} ${row.text(keyLength + idLength)}`)
      }
      continue
    }
    index.restored(Number(rowKey.readBigUInt64BE(rowKey.length - 8)))
    const batch = { key: rowKey, left: 0, goneRows: 0 }
    last = batch
    const at = BigInt(row.field())
    let shared = ''
    for (let changes = row.number(); changes > 0; changes--) {
      const [keyLength, count] = [row.number(), row.number()]
      const key = row.text(keyLength)
      const entries = Array.from({ length: count }, () => {
        const idLength = row.number()
        const [ownLength, endLength] = row.field().split(':').map(Number) as [number, number?]
        const recordId = row.text(idLength)
        const own = row.text(ownLength)
        if (endLength !== undefined) shared = row.text(endLength)
        return { recordId, outcome: own + shared, timer: false }
      })
      journal.push({ key, entries, at, batch })
    }
  }
  journal.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  for (const { key, entries, at, batch } of journal) {
    const those = batch && gone.get(batch)
    const left = those
      ? entries.filter(({ recordId }) => !those.has(`${key.length} ${key}${recordId}`))
      : entries
    index.note(key, left, at, batch)
  }
  return unreadable
}

async function* rowsOf(
  database: Database,
  kind: number,
  namespace: string,
): AsyncIterable<{ readonly rowKey: Buffer; readonly text: string }> {
  const from = database.rowKey(kind, namespace, Buffer.alloc(0))
  const to = Buffer.from(from)
  to.writeUInt32BE(to.readUInt32BE(1) + 1, 1)
  let count = 0
  for (const { key, value } of database.range(from, to)) {
    yield { rowKey: key, text: value.toString() }
    if (++count % ROWS_A_TURN === 0) await new Promise(resolve => setImmediate(resolve))
  }
}

/** Reads a row: fields end with a space, texts have a length. */
class RowText {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  field(): string {
    const to = this.#text.indexOf(' ', this.#at)
    const field = this.#text.slice(this.#at, to)
    this.#at = to + 1
    return field
  }

  number(): number {
    return Number(this.field())
  }

  text(length: number): string {
    this.#at += length
    return this.#text.slice(this.#at - length, this.#at)
  }

  get isOver(): boolean {
    return this.#at >= this.#text.length
  }

  rest(): string {
    return this.#text.slice(this.#at)
  }
}
