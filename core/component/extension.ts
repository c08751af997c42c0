import type { Records } from '../model/index.js'
import type { ComponentStatus } from './context.js'

/** Serves the service rather than a pipeline: storage, health, authentication. */
export interface Extension {
  start?(host: Host): Promise<void>
  stop?(): Promise<void>
  /** Watches what flows, of each configuration that begins to run. What throws here is logged and changes nothing. */
  observe?(pipelines: PipelinesInUse): FlowObserver
}

/** The pipelines of a configuration: by id, the ids of their components in order. */
export type PipelinesInUse = {
  readonly [pipeline: string]: {
    readonly [role in 'receivers' | 'processors' | 'exporters']: readonly string[]
  }
}

/** Is called for each batch: what it does costs every record. */
export interface FlowObserver {
  /** What a processor made of a batch. */
  processed?(pipeline: string, processor: string, incoming: Records, outgoing: Records): void
  /** An attempt to send: all records were taken, or not all. */
  sent?(pipeline: string, exporter: string, records: Records, taken: boolean): void
  /** One recipient of an exporter that has several did not take the records. */
  missed?(pipeline: string, exporter: string, records: Records): void
  /** Records that became dead letters (`kept`) or were dropped; `component`: `exporter/webhook/ops`. */
  givenUp?(pipeline: string, component: string, records: Records, kept: boolean): void
}

/** What an extension may know about the service it runs in. */
export interface Host {
  status(): ServiceStatus
  /** Our own metrics, as Prometheus text. */
  scrape(): Promise<string>
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
