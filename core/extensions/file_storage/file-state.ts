import type {
  ClaimedTimer,
  Codec,
  JournalRef,
  Logger,
  StateChange,
  StateOptions,
  StateRead,
  StateStore,
  StateWritten,
} from 'tocsin/component'
import { type Forgotten, StateIndex } from '#state'
import type { Database } from './database.js'
import type { Row } from './open-database.js'
import type { SharedState } from './shared-state.js'
import {
  type BatchRow,
  batchRow,
  goneRow,
  journalKey,
  journalRow,
  loadState,
  rowKeysOf,
  stateKey,
  stateRow,
} from './state-rows.js'

/**
 * Keyed state in memory with every change written through. One process owns the directory, so the index in memory
 * is the truth as soon as the disk has it.
 */
export function fileState<S>(
  database: () => Database,
  namespace: string,
  options: StateOptions<S>,
  logger: Logger,
): StateStore<S> {
  return new FileState(database, namespace, options, logger)
}

class FileState<S> implements StateStore<S> {
  readonly #database: () => Database
  readonly #namespace: string
  readonly #codec: Codec<S>
  readonly #maxKeys: number
  readonly #logger: Logger

  constructor(
    database: () => Database,
    namespace: string,
    { codec, maxKeys }: StateOptions<S>,
    logger: Logger,
  ) {
    this.#database = database
    this.#namespace = namespace
    this.#codec = codec
    this.#maxKeys = maxKeys
    this.#logger = logger
  }

  async read(requests: readonly StateRead[]) {
    const { index } = await this.#loaded()
    return requests.map(request => index.read(request))
  }

  async write(changes: readonly StateChange<S>[], now: bigint): Promise<StateWritten> {
    return this.#inTurn(async ({ index }, database) => {
      const applied = changes.map(change => index.matches(change))
      const versions: (string | undefined)[] = []
      const applying: { change: StateChange<S>; version: number }[] = []
      for (const [at, change] of changes.entries()) {
        if (!applied[at]) continue
        const version = index.nextVersion()
        applying.push({ change, version })
        if (change.state !== undefined) versions[at] = String(version)
      }
      const rows: Row[] = []
      for (const { change, version } of applying) {
        rows.push(stateRow(database, this.#namespace, change, version, this.#codec))
        for (const entry of change.journal) {
          if (entry.timer) rows.push(journalRow(database, this.#namespace, change.key, entry, now))
        }
      }
      // Outcomes of records: one row for them all, and gone with the last of them.
      const kept = batchRow(
        database,
        this.#namespace,
        applying.map(({ change }) => change),
        { version: index.nextVersion(), at: now },
      )
      if (kept) rows.push(kept.row)
      await database.write(this.#namespace, rows)
      for (const { change, version } of applying) index.apply(change, version, now, kept?.batch)
      const evicted = index.evict()
      const gone = [
        ...evicted.map(key => removed(stateKey(database, this.#namespace, key))),
        ...this.#rowsOf(index.purge(now), database),
      ]
      // What a crash leaves of these goes the same way when it is read again.
      database.write(this.#namespace, gone).catch(() => undefined)
      return { applied, versions, evicted: evicted.length }
    })
  }

  async due(until: bigint, limit: number) {
    return (await this.#loaded()).index.due(until, limit)
  }

  async claim(before: bigint, now: bigint, limit: number): Promise<readonly ClaimedTimer[]> {
    return this.#inTurn(async ({ index }, database) => {
      const claimed = index.unreleased(before, limit)
      const entries = claimed.map(({ recordId, outcome }) => ({ recordId, outcome, timer: true }))
      const rows = claimed.map(({ key }, at) =>
        journalRow(database, this.#namespace, key, entries[at] as (typeof entries)[number], now),
      )
      await database.write(this.#namespace, rows)
      for (const [at, { key }] of claimed.entries()) {
        index.note(key, [entries[at] as (typeof entries)[number]], now)
      }
      return claimed
    })
  }

  async release(entries: readonly JournalRef[]): Promise<void> {
    return this.#inTurn(async (shared, database) => {
      const gone = entries.flatMap(entry => shared.index.forget(entry) ?? [])
      // Those of a call that failed go with the next one.
      shared.gone = [...shared.gone, ...this.#rowsOf(gone, database)]
      const rows = shared.gone
      await database.write(this.#namespace, rows)
      shared.gone = shared.gone.slice(rows.length)
    })
  }

  /** What is to be written when these entries are gone. */
  #rowsOf(gone: readonly Forgotten[], database: Database): Row[] {
    const rows: Row[] = []
    const batches = new Map<BatchRow, Forgotten[]>()
    for (const entry of gone) {
      const batch = entry.row as BatchRow | undefined
      const some = batch && batches.get(batch)
      if (some) some.push(entry)
      else if (batch) batches.set(batch, [entry])
      else rows.push(removed(journalKey(database, this.#namespace, entry)))
    }
    for (const [batch, some] of batches) {
      if (batch.left > 0) rows.push(goneRow(batch, some))
      else rows.push(...rowKeysOf(batch).map(removed))
    }
    return rows
  }

  async #inTurn<T>(task: (shared: SharedState<S>, database: Database) => Promise<T>): Promise<T> {
    const shared = await this.#loaded()
    const result = shared.turn.then(() => task(shared, this.#database()))
    shared.turn = result.then(nothing, nothing)
    return result
  }

  async #loaded(): Promise<SharedState<S>> {
    const database = this.#database()
    let shared = database.states.get(this.#namespace) as SharedState<S> | undefined
    if (!shared) {
      shared = {
        index: new StateIndex<S>(this.#maxKeys),
        loading: undefined,
        turn: Promise.resolve(),
        gone: [],
      }
      shared.loading = loadState(database, this.#namespace, this.#codec, shared.index).then(unreadable => {
        if (unreadable === 0) return
        this.#logger.warn('State that cannot be read was left out: another version wrote it.', {
          namespace: this.#namespace,
          keys: unreadable,
        })
      })
      database.states.set(this.#namespace, shared as SharedState<unknown>)
    }
    shared.index.maxKeys = this.#maxKeys
    try {
      await shared.loading
    } catch (error) {
      database.states.delete(this.#namespace)
      throw error
    }
    return shared
  }
}

function nothing(): void {}

function removed(key: Buffer): Row {
  return { key, value: undefined }
}
