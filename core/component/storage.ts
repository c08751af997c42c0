/** A durable map of small values, private to one component. Keys sort by their UTF-8 bytes. */
export interface KeyValueStore {
  get(key: string): Promise<Uint8Array | undefined>
  /** All or nothing; on resolve it is durable against a crash of the process. */
  write(changes: readonly KeyValueChange[]): Promise<void>
  /** Up to `limit` entries with `from <= key < to`, in order of key. */
  range(from: string, to: string, limit: number): Promise<readonly (readonly [string, Uint8Array])[]>
}

export type KeyValueChange = { readonly key: string; readonly value: Uint8Array | undefined }

/** What a storage extension offers besides start and stop. */
export interface StorageExtension {
  readonly storage: StorageProvider
}

export interface StorageProvider {
  /** One line for the start-up log: where the data are and what they survive. */
  readonly description: string
  /** True when other collectors may change the same state. */
  readonly shared: boolean
  keyValue(namespace: string): KeyValueStore
  state<S>(namespace: string, options: StateOptions<S>): StateStore<S>
}

export interface StateOptions<S> {
  readonly codec: Codec<S>
  /** Beyond this many keys the least recently written unpinned keys go. */
  readonly maxKeys: number
}

export interface Codec<T> {
  encode(value: T): string
  decode(text: string): T
}

/**
 * Keyed state with compare-and-set, a time index and a journal. One call of `read` or `write` is one round trip
 * a node, whatever it holds.
 *
 * The journal keeps, beside a key's state and written with it, `record id -> outcome` for each record whose
 * settlement is not yet released by its source: a redelivered record takes its stored outcome and is not
 * counted twice.
 */
export interface StateStore<S> {
  read(keys: readonly string[]): Promise<readonly (StateEntry<S> | undefined)[]>
  write(changes: readonly StateChange<S>[]): Promise<StateWritten>
  /** Keys whose `due` is at or before `until`, earliest first. They stay until a write changes their `due`. */
  due(until: bigint, limit: number): Promise<readonly { readonly key: string; readonly due: bigint }[]>
  /** Forgets journal entries: their sources will not deliver these records again. */
  release(entries: readonly { readonly key: string; readonly recordId: string }[]): Promise<void>
}

export interface StateEntry<S> {
  /** Undefined when only the journal is left. */
  readonly state: S | undefined
  readonly due: bigint | undefined
  readonly version: string
  readonly journal: ReadonlyMap<string, string>
}

export interface StateChange<S> {
  readonly key: string
  /** The version that was read; undefined when there was no entry. */
  readonly expected: string | undefined
  /** Undefined removes the state (the entry goes when its journal is empty). */
  readonly state: S | undefined
  /** When the key wants to be woken, ns since the epoch. */
  readonly due: bigint | undefined
  /** A pinned key (an active alert) is never evicted for `maxKeys`. */
  readonly pinned: boolean
  readonly journal: readonly { readonly recordId: string; readonly outcome: string }[]
}

export interface StateWritten {
  /** In the order of the changes: false where the entry had another version, and nothing was written. */
  readonly applied: readonly boolean[]
  /** Keys evicted for `maxKeys`. */
  readonly evicted: number
}
