/** A durable map of small values, private to one component. Keys sort by their UTF-8 bytes. */
export interface KeyValueStore {
  get(key: string): Promise<Uint8Array | undefined>
  /** All or nothing; on resolve it is durable against a crash of the process. */
  write(changes: readonly KeyValueChange[]): Promise<void>
  /** Up to `limit` entries with `from <= key < to`, in order of key. */
  range(from: string, to: string, limit: number): Promise<readonly (readonly [string, Uint8Array])[]>
}

/** A new value for a key; undefined removes it. */
export type KeyValueChange = { readonly key: string; readonly value: Uint8Array | undefined }

/** What a storage extension offers besides start and stop. */
export interface StorageExtension {
  readonly storage: StorageProvider
  /**
   * In place of `start`, for tools: opens a storage that a running collector may hold, to read it and to change
   * entries of namespaces that are there. A storage without it can be started beside the collector.
   */
  attach?(): Promise<void>
}

/** A place where state, queues and checkpoints lie, in namespaces of their own. */
export interface StorageProvider {
  /** One line for the start-up log: where the data are and what they survive. */
  readonly description: string
  /** True when other collectors may change the same state. */
  readonly shared: boolean
  /** With a fence, writes are refused (`lease_lost`, retryable) unless its token holds the lease of this namespace. */
  keyValue(namespace: string, fence?: Fence): KeyValueStore
  /** Of a shared storage: the lease of a namespace. */
  lease?(namespace: string): LeaseStore
  state<S>(namespace: string, options: StateOptions<S>): StateStore<S>
}

/** The token of the lease that is held, when it is. */
export type Fence = () => number | undefined

/** The term of a lease under which records came in: after it their source is another collector's. */
export interface Term {
  /** The same for all holders of the lease. */
  readonly lease: string
  readonly token: number
  /** By this process's own clock, and cautious: once false, it stays so. */
  held(): boolean
  /** It is over whatever that clock says: the storage has seen a later one. */
  end?(): void
}

/**
 * A lease of which there is one holder at a time, by the storage's own clock: no collector's clock matters.
 * Methods reject with a `RetryableError` when the storage cannot be reached.
 */
export interface LeaseStore {
  /** How long the lease holds after each `take`. */
  readonly ttlMs: number
  /** Takes the lease when nobody has it; prolongs it when this holder has it. */
  take(holder: string): Promise<LeaseAnswer>
  /** Gives it up, if this holder has it. */
  free(holder: string): Promise<void>
}

/** `token` is greater than that of every earlier holder; `freeInMs`: unless its holder prolongs it. */
export type LeaseAnswer =
  | { readonly held: true; readonly token: number }
  | { readonly held: false; readonly freeInMs: number }

/** How a state store keeps the states of one component. */
export interface StateOptions<S> {
  readonly codec: Codec<S>
  /** Beyond this many keys the least recently written unpinned keys go. */
  readonly maxKeys: number
  /**
   * Unites two states of a key that grew apart while a shared store could not be reached: a union that may be
   * repeated, not a sum. Without it the remote state wins.
   */
  readonly merge?: ((remote: S, local: S) => S) | undefined
  /** The store cannot be used, and goes on with a local copy. */
  readonly onTrouble?: ((error: Error) => void) | undefined
}

/** A value as text and back, without loss: `decode(encode(x))` equals `x`. */
export interface Codec<T> {
  encode(value: T): string
  decode(text: string): T
  /**
   * `encode(value)` cut in two: `own + shared`. `shared` is the same string for many values, so that a store can write it
   * once for those that it writes together.
   */
  encodeParts?(value: T): EncodedParts
}

/** A text that is `own + shared`. */
export interface EncodedParts {
  readonly own: string
  readonly shared: string
}

/**
 * Keyed state with compare-and-set, a time index and a journal. One call of `read` or `write` is one round trip
 * a node, whatever it holds.
 *
 * The journal keeps, written together with a key's state, `record id -> outcome` for each record whose
 * settlement is not yet released by its source: a redelivered record takes its stored outcome and is not
 * counted twice. What timers decided is journaled too, as no record will come again to repeat it: `claim` finds
 * what a crash left behind. Entries that nobody releases within a day are forgotten.
 *
 * Methods reject with a `RetryableError` when the store cannot be reached or written. A rejected `write` may have
 * been applied: read again before another try.
 */
export interface StateStore<S> {
  /** In the order of the requests. */
  read(requests: readonly StateRead[]): Promise<readonly StateEntry<S>[]>
  /** Atomic for each change; a key occurs once. `now`: wall clock, ns since the epoch. */
  write(changes: readonly StateChange<S>[], now: bigint, by?: WrittenBy): Promise<StateWritten>
  /** Keys whose `due` is at or before `until`, earliest first. They stay until a write changes their `due`. */
  due(until: bigint, limit: number): Promise<readonly { readonly key: string; readonly due: bigint }[]>
  /**
   * Takes over what timers decided and nobody released: written, or last claimed, at or before `before` (wall
   * clock). They are stamped with `now`, so that no other collector claims them too.
   */
  claim(before: bigint, now: bigint, limit: number): Promise<readonly ClaimedTimer[]>
  /** Forgets journal entries: their sources will not deliver these records again. */
  release(entries: readonly JournalRef[]): Promise<void>
}

/** Whose write it is. A store that is not shared has no use for it. */
export interface WrittenBy {
  /**
   * 20 digits that no other write has; those of one writer begin with the same 12. The new versions end with them, so
   * that a writer whose answer was lost knows its own.
   */
  readonly mark?: string
  /**
   * Where the records came from. Nothing is written, and it rejects with a PermanentError `lease_lost`, when the store
   * has seen a later term of one of these leases.
   */
  readonly terms?: readonly Term[]
}

/** A key to be read. */
export interface StateRead {
  readonly key: string
  /** The journal entries that are wanted, if they are there. */
  readonly recordIds: readonly string[]
}

/** What a store has of a key. */
export interface StateEntry<S> {
  /** Undefined when the key has no state; then the fields below are undefined or false too, unless it is unreadable. */
  readonly state: S | undefined
  readonly due: bigint | undefined
  readonly pinned: boolean
  readonly version: string | undefined
  /** Outcomes by record id, of those that were asked for. */
  readonly journal: ReadonlyMap<string, string>
}

/** A key to be written, if it still has the version that was read. */
export interface StateChange<S> {
  readonly key: string
  /** The version that was read; undefined when there was no state. */
  readonly expected: string | undefined
  /** Undefined removes the key; its journal stays until it is released. */
  readonly state: S | undefined
  /** When the key wants to be woken, ns since the epoch. */
  readonly due: bigint | undefined
  /** A pinned key (an active alert) is never evicted for `maxKeys`. */
  readonly pinned: boolean
  readonly journal: readonly JournalEntry[]
}

/** A journal entry, by key and record. */
export interface JournalRef {
  readonly key: string
  readonly recordId: string
}

/** What was decided for a record, to be answered again when it is redelivered. */
export interface JournalEntry {
  readonly recordId: string
  readonly outcome: string
  /** The same text in two parts, where the component gives it so. */
  readonly parts?: EncodedParts | undefined
  /** True for what a timer decided. */
  readonly timer: boolean
}

/** What a timer decided and nobody released. */
export interface ClaimedTimer extends JournalRef {
  readonly outcome: string
}

/** What became of a write. */
export interface StateWritten {
  /** In the order of the changes: false where the key had another version, and nothing was written. */
  readonly applied: readonly boolean[]
  /** The new versions; undefined where nothing was written, or the key was removed. */
  readonly versions: readonly (string | undefined)[]
  /** Keys evicted for `maxKeys`. */
  readonly evicted: number
}
