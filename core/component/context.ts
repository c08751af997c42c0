import type { Meter } from '@opentelemetry/api'
import type { Listener, ListenOptions } from './listener.js'
import type { KeyValueStore } from './storage.js'

/** What every component is handed at `create`. Nothing else may be reached for: no globals, no wall clock. */
export interface ComponentContext<Config> {
  /** `type` or `type/name`, as in the configuration. */
  readonly id: string
  /** The pipeline of a processor (each pipeline has its own instance); undefined for the other kinds. */
  readonly pipeline?: string
  /** Validated, defaults filled in. */
  readonly config: Config
  readonly logger: Logger
  /**
   * For what may happen again and again: a message is logged at once, then once a minute while it goes on, with how
   * often it was said since (`times`) and the newest attributes.
   */
  readonly oncePerMinute: Logger
  readonly meter: Meter
  readonly clock: Clock
  readonly random: Random
  /** The folder that relative paths of the configuration start from. */
  readonly baseDir: string
  /**
   * A store for this component's small durable data (checkpoints). `storage` is the id of a storage extension;
   * without one the data live in memory, survive a reload, and are lost with the process.
   */
  storage(storage?: string): KeyValueStore
  /** A running extension, by id. Throws `unknown_extension` when the service does not run it. */
  extension<T>(id: string): T
  /**
   * What the components of one type share while a configuration runs, such as a connection: the first to ask for `key` makes it.
   * Nothing closes it: it lives by those that use it.
   */
  shared<T>(key: string, make: () => T): T
  /** A listening socket that outlives a reload. */
  listen(options: ListenOptions): Promise<Listener>
  reportStatus(status: ComponentStatus): void
}

/**
 * The Collector's component statuses. A recoverable error goes away by itself, a permanent one needs a person. A receiver
 * that reports a fatal one has stopped working: it is closed, made anew and started after 5 s.
 */
export interface ComponentStatus {
  readonly status:
    | 'starting'
    | 'ok'
    | 'recoverable_error'
    | 'permanent_error'
    | 'fatal_error'
    | 'stopping'
    | 'stopped'
  readonly message?: string
}

/** What varies in a log line. No secrets. */
export type LogAttributes = { readonly [key: string]: string | number | boolean | undefined }

/** Log messages are sentences; what varies goes into the attributes. Never log once per record: see `oncePerMinute`. */
export interface Logger {
  debug(message: string, attributes?: LogAttributes): void
  info(message: string, attributes?: LogAttributes): void
  warn(message: string, attributes?: LogAttributes): void
  error(message: string, attributes?: LogAttributes): void
}

/** The time, and the only timers of a component: tests move it, a stop cancels what it set. */
export interface Clock {
  /** Wall clock, ns since the epoch. */
  now(): bigint
  /** ms that only grow; for measuring intervals. */
  monotonicMs(): number
  /** Runs `task` once after `delayMs`; the answer cancels it. Does not keep the process alive. */
  schedule(delayMs: number, task: () => void): () => void
  /** Resolves after `delayMs`, or at once when `signal` is aborted: look at the signal afterwards. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

/** A number from 0 up to, not including, 1. */
export type Random = () => number
