import type { LogRecord, Records } from '../model/index.js'
import type { ComponentStatus } from './context.js'
import type { Problem } from './errors.js'
import type { AboutKey, Decided } from './processor.js'

/** Serves the service rather than a pipeline: storage, health, authentication. */
export interface Extension {
  start?(host: Host): Promise<void>
  stop?(): Promise<void>
  /** Watches what flows, of each configuration that begins to run. What throws here is logged and changes nothing. */
  observe?(pipelines: PipelinesInUse): FlowObserver
  /** A reload found the configuration invalid: the old one stays in force. */
  refused?(problems: readonly Problem[]): void
}

/** The pipelines of a configuration: by id, the ids of their components in order. */
export type PipelinesInUse = {
  readonly [pipeline: string]: {
    readonly [role in 'receivers' | 'processors' | 'exporters']: readonly string[]
  }
}

/** Is called for each batch: what it does costs every record. */
export interface FlowObserver {
  /** Ids of exporters whose queues it watches too, beside the notifying ones: for `withhold`, `withheld` and `queued`. */
  readonly exporters?: readonly string[]
  /** What a processor made of a batch. */
  processed?(
    pipeline: string,
    processor: string,
    incoming: Records,
    outgoing: Records,
    about?: AboutKey,
  ): void
  /**
   * In place of `processed`, of a processor that tells what is new (`Keyed.decisions`): that at once, what repeats each second, when
   * `Host.tellRepeats` asks for it, and at the end.
   */
  decided?(pipeline: string, processor: string, decided: readonly Decided[], about?: AboutKey): void
  /**
   * Why this record must not go to this exporter: a named reason. Asked before its queue, of what its condition
   * wants; what is withheld counts as delivered for its source.
   */
  withhold?(pipeline: string, exporter: string, record: LogRecord): string | undefined
  /** Records that were withheld, by whichever extension. */
  withheld?(pipeline: string, exporter: string, records: Records, reason: string): void
  /** Records that are about to be queued. `queuedAt`, ns since the epoch, is that of the request in `sent`, after a restart too. */
  queued?(pipeline: string, exporter: string, records: Records, queuedAt: bigint): void
  /** An attempt to send: all records were taken, or not all. */
  sent?(pipeline: string, exporter: string, records: Records, taken: boolean, attempt: SendAttempt): void
  /** One recipient of an exporter that has several did not take the records. */
  missed?(pipeline: string, exporter: string, records: Records): void
  /** Records that became dead letters (`kept`) or were dropped; `component`: `exporter/webhook/ops`. */
  givenUp?(pipeline: string, component: string, records: Records, kept: boolean, why: GivenUp): void
}

/** More about an attempt to send. */
export interface SendAttempt {
  /** 1 for the first. */
  readonly attempt: number
  /** ns since the epoch. */
  readonly queuedAt: bigint
  /** What the destination answered, or what went wrong, for people. */
  readonly answer?: string
  /** Indices of the records that the destination will never take; undefined when it does not say which. */
  readonly refused?: readonly number[]
}

/** Why records were given up: a named reason such as `refused` or `retries_exhausted`, and what was found, for people. */
export interface GivenUp {
  readonly reason: string
  readonly detail: string
}

/** What an extension may know about the service it runs in, and ask of it. */
export interface Host {
  status(): ServiceStatus
  /** Our own metrics, as Prometheus text. */
  scrape(): Promise<string>
  /** The same as points: of histograms their `_count` and `_sum`. Names as in `scrape`. */
  metrics(): Promise<readonly MetricPoint[]>
  /** The pipelines of the configuration in force. */
  graph(): GraphInUse
  /** Undefined while none are kept: without a storage, and before the pipelines run. */
  deadLetters(): DeadLetterBox | undefined
  /**
   * Hands records to the queue of an exporter, past condition and `withhold`. False when there is no such exporter now. Resolves
   * when they are in the queue.
   */
  enqueue(exporter: string, pipeline: string, records: Records): Promise<boolean>
  /** Has observers told (`FlowObserver.decided`), before it returns, what only repeated since the last time. */
  tellRepeats(): void
}

/** One number of our own metrics. */
export interface MetricPoint {
  readonly name: string
  readonly labels: { readonly [name: string]: string }
  readonly value: number
}

/** The pipelines of a configuration, and what their components are. */
export interface GraphInUse {
  readonly pipelines: PipelinesInUse
  /** Ids: they stand among the exporters of some pipelines and the receivers of others. */
  readonly connectors: readonly string[]
  /** Ids of the exporters that tell people. */
  readonly notifying: readonly string[]
}

/** The dead letters of this service; with a shared storage, of all that share it. */
export interface DeadLetterBox {
  /** In order of time. `after` is the id of the last one seen. */
  list(options?: { readonly after?: string; readonly limit?: number }): Promise<readonly DeadLetterSummary[]>
  /** Asks for letters to be sent again. How many of them there were. */
  requestRetry(ids: readonly string[]): Promise<number>
}

/** A dead letter without its records. */
export interface DeadLetterSummary extends GivenUp {
  readonly id: string
  /** `exporter/webhook/oncall`, `processor/parser`. */
  readonly component: string
  readonly pipeline: string
  /** ns since the epoch. */
  readonly at: bigint
  readonly recordCount: number
  readonly bytes: number
  /** It waits to be sent again. */
  readonly retryRequested: boolean
}

/** How a whole collector is; the health_check extension shows it. */
export interface ServiceStatus {
  readonly status: PipelineStatus['status']
  readonly startedAt: bigint
  readonly version: string
  readonly pipelines: { readonly [id: string]: PipelineStatus }
  readonly extensions: { readonly [id: string]: ComponentReport }
}

/** The worst status of a pipeline's components, and each of them. */
export interface PipelineStatus {
  readonly status: ComponentReport['status']
  readonly components: { readonly [kindAndId: string]: ComponentReport }
}

/** What a component reported last. */
export interface ComponentReport {
  readonly status: ComponentStatus['status']
  readonly message?: string
  /** RFC 3339, when it came to this status. */
  readonly since: string
}

/** An extension that says who may send to a receiver, or who an exporter is. Components find it by its id. */
export interface AuthenticatorExtension {
  /** For receivers: why a request with these headers (names in lower case) may not pass; undefined when it may. */
  authenticate?(headers: RequestHeaders): AuthRefusal | undefined
  /** For exporters: what proves who we are, for each request anew. The values are secrets. */
  headers?(): { readonly [name: string]: string }
}

/** Headers of a request, names in lower case. */
export type RequestHeaders = { readonly [name: string]: string | readonly string[] | undefined }

/** Why a request may not pass. */
export interface AuthRefusal {
  /** `missing_credentials` or `wrong_credentials`: for metrics. */
  readonly reason: string
  /** The WWW-Authenticate header (RFC 9110, 11.6.1). */
  readonly challenge: string
}
