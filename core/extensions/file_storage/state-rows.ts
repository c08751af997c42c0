import { createHash } from 'node:crypto'
import type { Codec, JournalEntry, JournalRef, StateChange } from 'tocsin/component'
import type { StateIndex } from '#state'
import type { Database, Row } from './database.js'

const STATE_ROW = 0x73
const JOURNAL_ROW = 0x6a
const LONGEST_PLAIN = 400
const HASHED = 0xffff
/** Loading lets others run after so many rows. */
const ROWS_A_TURN = 2_000

/**
 * A row holds its numbers, then its texts with their lengths, so that nothing needs to be escaped:
 * `version due pinned keyLength key state`, `at timer keyLength idLength key id outcome`.
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

export function removedState(database: Database, namespace: string, key: string): Row {
  return { key: stateKey(database, namespace, key), value: undefined }
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

export function removedJournal(database: Database, namespace: string, entry: JournalRef): Row {
  return { key: journalKey(database, namespace, entry), value: undefined }
}

export function journalKey(database: Database, namespace: string, { key, recordId }: JournalRef): Buffer {
  return database.rowKey(JOURNAL_ROW, namespace, Buffer.concat([shortRef(key), shortRef(recordId)]))
}

function stateKey(database: Database, namespace: string, key: string): Buffer {
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
  for await (const text of rowsOf(database, STATE_ROW, namespace)) {
    const [[version, due, pinned, keyLength], rest] = head(text, 4)
    try {
      states.push({
        key: rest.slice(0, Number(keyLength)),
        state: codec.decode(rest.slice(Number(keyLength))),
        due: due === '-' ? undefined : BigInt(due as string),
        pinned: pinned === '1',
        version: Number(version),
      })
    } catch {
      unreadable++
    }
  }
  states.sort((a, b) => a.version - b.version)
  for (const { key, state, due, pinned, version } of states) index.restore(key, state, due, pinned, version)

  const journal: { key: string; entry: JournalEntry; at: bigint }[] = []
  for await (const text of rowsOf(database, JOURNAL_ROW, namespace)) {
    const [[at, timer, keyLength, idLength], rest] = head(text, 4)
    const idFrom = Number(keyLength)
    const outcomeFrom = idFrom + Number(idLength)
    journal.push({
      key: rest.slice(0, idFrom),
      entry: {
        recordId: rest.slice(idFrom, outcomeFrom),
        outcome: rest.slice(outcomeFrom),
        timer: timer === '1',
      },
      at: BigInt(at as string),
    })
  }
  journal.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  for (const { key, entry, at } of journal) index.note(key, entry, at)
  return unreadable
}

async function* rowsOf(database: Database, kind: number, namespace: string): AsyncIterable<string> {
  const from = database.rowKey(kind, namespace, Buffer.alloc(0))
  const to = Buffer.from(from)
  to.writeUInt32BE(to.readUInt32BE(1) + 1, 1)
  let count = 0
  for (const { value } of database.range(from, to)) {
    yield value.toString()
    if (++count % ROWS_A_TURN === 0) await new Promise(resolve => setImmediate(resolve))
  }
}

/** The first fields of a row, each up to a space, and what follows. */
function head(text: string, count: number): [string[], string] {
  const fields: string[] = []
  let from = 0
  while (fields.length < count) {
    const to = text.indexOf(' ', from)
    fields.push(text.slice(from, to))
    from = to + 1
  }
  return [fields, text.slice(from)]
}
