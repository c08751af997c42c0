import {
  type ClaimedTimer,
  type Codec,
  type JournalRef,
  nsToMs,
  RetryableError,
  type StateChange,
  type StateEntry,
  type StateRead,
  type StateWritten,
  type WrittenBy,
} from 'tocsin/component'
import {
  type HeldState,
  type JournaledOutcome,
  type JournalRead,
  leaseLost,
  type RemoteState,
  STATE_LOST,
} from '#state'
import type { Connection } from './connection.js'
import { packed, packedJournal } from './packed.js'
import { CLAIM, DUE, READ, RELEASE, RESTORE, WRITE } from './scripts.js'

const DUE_DIGITS = 20
const RELEASES_A_CALL = 1_000
const SCANNED_A_CALL = '1000'
const NO_SEQUENCE = '0000000000000000'

/** Looked at for every call: they may change. */
export interface RedisStateOptions<S> {
  readonly codec: Codec<S>
  readonly maxKeys: number
  /** A state that the codec does not know: it counts as none, and the next write of its key takes its place. */
  readonly onUnreadable: (error: unknown) => void
}

/** One partition of the state of a namespace: what is in it shares a slot. `name` holds the hash tag. */
export function redisState<S>(
  connection: () => Connection,
  name: string,
  options: RedisStateOptions<S>,
): RemoteState<S> {
  return new RedisState(connection, name, options)
}

class RedisState<S> implements RemoteState<S> {
  readonly #connection: () => Connection
  readonly #options: RedisStateOptions<S>
  readonly #states: string
  readonly #due: string
  readonly #order: string
  readonly #sequence: string
  readonly #journal: string
  readonly #timers: string
  readonly #terms: string
  /** The partition has been seen: found empty, it was lost. */
  #seen = false

  constructor(connection: () => Connection, name: string, options: RedisStateOptions<S>) {
    this.#connection = connection
    this.#options = options
    this.#states = `${name}:states`
    this.#due = `${name}:due`
    this.#order = `${name}:order`
    this.#sequence = `${name}:sequence`
    this.#journal = `${name}:journal`
    this.#timers = `${name}:timers`
    this.#terms = `${name}:terms`
  }

  async read(requests: readonly StateRead[]): Promise<readonly StateEntry<S>[]> {
    if (requests.length === 0) return []
    const args: string[] = []
    for (const { key, recordIds } of requests) args.push(key, String(key.length), packed(recordIds))
    const keys = [this.#states, this.#journal, this.#sequence]
    const answer = (await this.#connection().run(READ, keys, args)) as [number, ...unknown[]]
    this.#expectThere(answer[0])
    return requests.map(({ recordIds }, at) => {
      const journal = new Map<string, string>()
      const found = answer[2 + 2 * at] as (string | number)[]
      for (let which = 0; which < found.length; which += 2) {
        const value = found[which + 1] as string
        journal.set(recordIds[found[which] as number] as string, value.slice(value.indexOf('|') + 1))
      }
      return { ...this.#entry(answer[1 + 2 * at] as string | null), journal }
    })
  }

  async write(changes: readonly StateChange<S>[], now: bigint, by: WrittenBy = {}): Promise<StateWritten> {
    if (changes.length === 0) return { applied: [], versions: [], evicted: 0 }
    const { mark = '', terms = [] } = by
    const args = [String(nsToMs(now)), String(this.#options.maxKeys), mark, this.#seen ? '1' : '0']
    args.push(String(terms.length), ...terms.flatMap(({ lease, token }) => [lease, String(token)]))
    for (const { key, expected, state, due, pinned, journal } of changes) {
      const present = state !== undefined
      args.push(key, expected ?? '', present && due !== undefined ? digits(due) : '')
      args.push(pinned ? '1' : '0', present ? '1' : '0', present ? this.#options.codec.encode(state) : '')
      const { kinds, texts } = packedJournal(journal)
      args.push(String(key.length), kinds, texts)
    }
    const keys = [
      this.#states,
      this.#due,
      this.#order,
      this.#sequence,
      this.#journal,
      this.#timers,
      this.#terms,
    ]
    const answer = (await this.#connection().run(WRITE, keys, args)) as (number | string)[] | 'lost' | 'term'
    if (answer === 'term') throw leaseLost()
    if (answer === 'lost') this.#expectThere(0)
    const [evicted, ...results] = answer as (number | string)[]
    this.#seen = true
    return {
      applied: results.map(version => version !== -1),
      versions: results.map(version => (typeof version === 'string' ? version : undefined)),
      evicted: Number(evicted),
    }
  }

  async due(until: bigint, limit: number) {
    const args = [`(${digits(until + 1n)}`, String(limit)]
    const [there, ...found] = (await this.#connection().run(DUE, [this.#due, this.#sequence], args)) as [
      number,
      ...string[],
    ]
    this.#expectThere(there)
    return found.map(member => ({
      key: member.slice(DUE_DIGITS),
      due: BigInt(member.slice(0, DUE_DIGITS)),
    }))
  }

  async claim(before: bigint, now: bigint, limit: number): Promise<readonly ClaimedTimer[]> {
    const args = [String(nsToMs(before)), String(nsToMs(now)), String(limit)]
    const found = (await this.#connection().run(CLAIM, [this.#journal, this.#timers], args)) as string[]
    const claimed: ClaimedTimer[] = []
    for (let at = 0; at < found.length; at += 2) {
      claimed.push({ ...refOf(found[at] as string), outcome: found[at + 1] as string })
    }
    return claimed
  }

  async release(entries: readonly JournalRef[]): Promise<void> {
    const calls: Promise<unknown>[] = []
    for (let from = 0; from < entries.length; from += RELEASES_A_CALL) {
      const ids = new Map<string, string[]>()
      for (const { key, recordId } of entries.slice(from, from + RELEASES_A_CALL)) {
        const some = ids.get(key)
        if (some) some.push(recordId)
        else ids.set(key, [recordId])
      }
      const args = [...ids].flatMap(([key, some]) => [key, String(key.length), packed(some)])
      // An entry of the timers without one in the journal is no harm: a claim drops it.
      calls.push(this.#connection().run(RELEASE, [this.#journal, this.#timers], args))
    }
    await Promise.all(calls)
  }

  async journal(limit: number): Promise<JournalRead> {
    const connection = this.#connection()
    const newest = connection.call('GET', [this.#sequence]).then(text => String(text ?? NO_SEQUENCE))
    const [upTo, entries] = await Promise.all([newest, this.#journaled(connection, limit)])
    return { upTo, entries }
  }

  async #journaled(connection: Connection, limit: number): Promise<JournaledOutcome[]> {
    const found: JournaledOutcome[] = []
    for (let cursor = '0'; ; ) {
      const args = [this.#journal, cursor, 'COUNT', SCANNED_A_CALL]
      const [next, fields] = (await connection.call('HSCAN', args)) as [string, string[]]
      for (let at = 0; at < fields.length; at += 2) {
        const value = fields[at + 1] as string
        found.push({ ...refOf(fields[at] as string), outcome: value.slice(value.indexOf('|') + 1) })
      }
      if (next === '0' || found.length >= limit) return found
      cursor = next
    }
  }

  async restore(held: readonly HeldState<S>[]): Promise<void> {
    const args: string[] = []
    for (const { key, state, due, pinned, version } of held) {
      const dueText = due === undefined ? '' : digits(due)
      args.push(key, version, dueText, pinned ? '1' : '0', this.#options.codec.encode(state))
    }
    await this.#connection().run(RESTORE, [this.#states, this.#due, this.#order, this.#sequence], args)
    this.#seen = true
  }

  /** `there`: 0 where the partition is empty. Rejects once when it was not before. */
  #expectThere(there: unknown): void {
    const lost = there === 0 && this.#seen
    this.#seen = there !== 0
    if (lost) throw new RetryableError(STATE_LOST, 'Redis has lost the state that it held.')
  }

  #entry(value: string | null | undefined): Omit<StateEntry<S>, 'journal'> {
    if (typeof value !== 'string') {
      return { state: undefined, due: undefined, pinned: false, version: undefined }
    }
    const dueFrom = value.indexOf('|') + 1
    const pinnedFrom = value.indexOf('|', dueFrom) + 1
    const due = value.slice(dueFrom, pinnedFrom - 1)
    return {
      version: value.slice(0, dueFrom - 1),
      due: due === '' ? undefined : BigInt(due),
      pinned: value[pinnedFrom] === '1',
      state: this.#decoded(value.slice(pinnedFrom + 2)),
    }
  }

  #decoded(text: string): S | undefined {
    try {
      return this.#options.codec.decode(text)
    } catch (error) {
      this.#options.onUnreadable(error)
      return undefined
    }
  }
}

/** In order of text as in order of time. What was due before 1970 is due. */
function digits(ns: bigint): string {
  return (ns < 0n ? 0n : ns).toString().padStart(DUE_DIGITS, '0')
}

/** A field of the journal is `length:key` and the record's id. */
function refOf(field: string): JournalRef {
  const colon = field.indexOf(':')
  const idFrom = colon + 1 + Number(field.slice(0, colon))
  return { key: field.slice(colon + 1, idFrom), recordId: field.slice(idFrom) }
}
