import type { OperatorFunction } from 'rxjs'
import type { LogRecord, Records } from '../model/index.js'
import type { Busy } from './receiver.js'
import type { Codec } from './storage.js'

/** Changes, drops or adds records. Each pipeline that names it has its own instance. */
export type Processor = Mapper | Keyed<unknown, unknown, unknown> | RawProcessor

interface ProcessorLife {
  start?(): Promise<void>
  stop?(): Promise<void>
  /** Refuses a batch before it enters the pipeline (a memory limit). Called for every offer: keep it cheap. */
  admit?(records: Records): Busy | undefined
  /**
   * For `tocsin explain`: which of its rules speak to this record and by what, and which nearly do. Changes nothing; may take
   * its time.
   */
  explain?(record: LogRecord): readonly Finding[]
}

/** What one rule of a processor has to do with a record, for people. */
export interface Finding {
  /** `DecisionRule.id`, of processors that have rules. */
  readonly rule?: string
  readonly kind: 'matches' | 'nearly'
  /** The part of the rule, such as `alert pattern "ERROR"`. */
  readonly part: string
  /** Of what nearly matches: why it does not. Of a match: what comes of it, where that is not plain. */
  readonly why?: string
  /** The text that was looked at, and which parts of it match, as UTF-16 offsets. */
  readonly text?: string
  readonly spans?: readonly (readonly [from: number, to: number])[]
}

/** The usual processor: a batch in, a batch out. Batches come one after another, in order. */
export interface Mapper extends ProcessorLife {
  process(records: Records): Records | Promise<Records>
  /** For one of many that are told together, and cheaply, which of them would drop all of a batch. */
  readonly screen?: Screen
}

/**
 * Where many pipelines read one receiver, the groups of their first processors are asked before a batch goes in: a pipeline
 * that would drop all of it is passed over, and costs the batch nothing.
 */
export interface Screen {
  /** The same object for all that are told together. */
  readonly group: ScreenGroup
  /** Its name in the group, which several may share; asked once it has started. Undefined: it takes every batch. */
  member(): unknown
  /** Records that were dropped without `process`, to be counted: of several batches, within about a second. */
  dropped(records: Records): void
}

/** Processors that tell of a batch together. */
export interface ScreenGroup {
  /**
   * The members whose `process` may keep some of these records: all others would drop each of them. Undefined: any may.
   * Changes nothing.
   */
  wanting(records: Records): Iterable<unknown> | undefined
}

/** For experts: an RxJS operator over batches. It must pass on, fork or settle each batch exactly once. */
export interface RawProcessor extends ProcessorLife {
  readonly operator: OperatorFunction<Batch, Batch>
}

/**
 * A batch on its way, with the obligation to settle it. An empty batch with a watermark carries only time:
 * pass it on in its place.
 */
export interface Batch {
  readonly records: Records
  /** No record with an earlier event time comes after this batch. */
  readonly watermark?: bigint | undefined
  /** The same obligation with other records. */
  with(records: Records): Batch
  /** Splits the obligation over parts; none settles the batch. */
  split(parts: readonly Records[]): readonly Batch[]
  /** Joins the obligations of this batch and others under one. */
  join(others: readonly Batch[], records: Records): Batch
  /** Nothing more will come of it. */
  settle(): void
}

/**
 * A processor with state per key: throttle, stateful_alert. The runtime reads and writes the keys of a batch in
 * one round trip each, retries lost races, remembers outcomes for redelivered records and runs timers; this
 * object holds only decisions. `S` is the state of a key, `E` what `select` found in a record, `O` the outcome of
 * a step, from which the output is built again when a record is redelivered.
 */
export interface Keyed<S, E, O> extends ProcessorLife {
  /** Id of the storage extension; without one the state lives in memory and survives a reload. */
  readonly storage: string | undefined
  /** State belongs to `pipeline/component id`; a namespace lets several components share it. */
  readonly namespace?: string
  readonly maxKeys: number
  /** `observed` runs windows and timers on the time of arrival; default `event`. */
  readonly timeSource?: 'event' | 'observed'
  readonly state: Codec<S>
  readonly outcome: Codec<O>
  /** The keys each record touches, with what the step needs of the record; none passes it on untouched. */
  select(records: Records): readonly (readonly Touch<E>[])[] | Promise<readonly (readonly Touch<E>[])[]>
  /**
   * False only when `select` would find nothing in the record, by what can be told at little cost. Without it each record is
   * selected.
   */
  touches?(record: LogRecord): boolean
  /**
   * Pure. Called in order of arrival; a due timer of the key comes first. A `due` event may come early after a
   * merge: answer it with the same state and the right `due`. Its answer must ask for a later time, or none.
   */
  step(state: S | undefined, event: KeyedEvent<E>): Step<S, O>
  /** The records that come of a record and the outcomes of its touches, in the order of `select`. */
  join(record: LogRecord, outcomes: readonly O[]): Records
  /** The records that come of timers which ran together; what `summarize` tells for many may be missing. */
  expire?(outcomes: readonly O[]): Records
  /** All timers that are due have run: records for what `expire` only counted. */
  summarize?(): Records
  /** See `StateOptions.merge`. */
  merge?(remote: S, local: S): S
  /** Asked at every tick for keys to look at before their time, because something besides records changed. */
  lookEarly?(): EarlyLook<S> | undefined
  /** The store of the state could not be used; it is tried again, or a local copy serves meanwhile. */
  storeFailed?(error: Error): void
  /** For `tocsin test` and `tocsin replay`: the rules it decides by now, such as the rows of a table, in their order. */
  rules?(): readonly DecisionRule[]
  /** For the same, and for those who watch what flows: what a key stands for. `record` is one that touches it. */
  about?(key: string, record: LogRecord): KeyAbout
  /** Somebody watches from now on (`FlowObserver.decided`): where it can tell what is new from what only repeats. */
  decisions?(): Decisions
}

/** What a processor decides, for those who watch: what is new at once, what a storm repeats when they ask. */
export interface Decisions {
  /** What was new since the last call, in order, each after what of its key only repeated. Asked after each batch. */
  news(): readonly Decided[]
  /** What only repeated since the last call: an entry for each key. */
  repeats(): readonly Decided[]
}

/** What was decided for a record, or for several of a key alike. */
export interface Decided {
  /** As it goes out, with what was decided; of several the newest, with attributes and resource as one of them had them. */
  readonly record: LogRecord
  readonly count: number
  /** When the record came here, ns since the epoch, to the microsecond. */
  readonly at: bigint
  /** Of several that may lead to an episode the first, as it came. */
  readonly first?: Pick<Decided, 'record' | 'at'>
}

/** One of the rules that a keyed processor decides by, as tools name it. */
export interface DecisionRule {
  /** Stays the same while its meaning does. */
  readonly id: string
  /** As its author named it. */
  readonly ruleId?: string
  readonly name: string
  readonly severity?: string
  /** The file it is written in, as the configuration names it; without one it stands in the configuration. */
  readonly file?: string
  /** From 1 in a file; else the index of its entry. */
  readonly line?: number
  /** So many events of a key within so long begin an episode. */
  readonly count?: number
  readonly windowMs?: number
}

/** Says what a keyed processor says of a key, given a record of it: asked while the processor runs. */
export type AboutKey = (key: string, record: LogRecord) => KeyAbout

/** The rule of a key, and the values that tell it from the other keys of the rule, for people. */
export interface KeyAbout {
  readonly rule: string
  readonly values: string
  /** What the rule says, as its author wrote it: by the names of columns or keys. */
  readonly written?: { readonly [name: string]: string }
}

/** A look at keys that have a timer, over several ticks. Nothing else of the kind is asked for before it is done. */
export interface EarlyLook<S> {
  /** Each of these keys is stepped with a `due` event, early or not. */
  wants(key: string): boolean
  /** The state that the key has then. */
  seen?(key: string, state: S | undefined): void
  done?(): void
}

/** A key that a record touches, with what `step` needs of the record. */
export interface Touch<E> {
  readonly key: string
  readonly data: E
}

/**
 * What a step decides on: a record of the key (`time`: its event time), or a timer that is due. Times in ns since the
 * epoch.
 */
export type KeyedEvent<E> =
  | { readonly kind: 'record'; readonly key: string; readonly time: bigint; readonly data: E }
  | { readonly kind: 'due'; readonly key: string; readonly time: bigint }

/** What a step decided. */
export interface Step<S, O> {
  /** The same reference as before when nothing changed: then nothing is written. Undefined removes the key. */
  readonly state: S | undefined
  /**
   * When to call `step` again with a `due` event, ns since the epoch; undefined for never. On a record that leaves
   * the state as it was, undefined leaves `due` and `pinned` as they were too.
   */
  readonly due?: bigint | undefined
  /** An active alert is pinned: `maxKeys` never evicts it. */
  readonly pinned?: boolean
  /** Undefined only on a `due` event that produces nothing. */
  readonly outcome: O | undefined
  /** Names the decision; the metric and the log line use it. */
  readonly reason: string
  /** For tools: the record speaks for an alert or the like, an *episode*, or for its end. */
  readonly speaks?: 'for' | 'against'
  /** For tools: an episode of the key begins or ends with it; `passes`: both at once. */
  readonly episode?: 'begins' | 'ends' | 'passes'
  /** For tools: with so many more records like this one an episode would have begun. */
  readonly missing?: number
}
