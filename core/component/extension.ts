import type { ComponentStatus } from './context.js'

/** Serves the service rather than a pipeline: storage, health, authentication. */
export interface Extension {
  start?(host: Host): Promise<void>
  stop?(): Promise<void>
}

/** What an extension may know about the service it runs in. */
export interface Host {
  status(): ServiceStatus
}

export interface ServiceStatus {
  readonly status: PipelineStatus['status']
  readonly startedAt: bigint
  readonly version: string
  readonly pipelines: { readonly [id: string]: PipelineStatus }
  readonly extensions: { readonly [id: string]: ComponentReport }
}

export interface PipelineStatus {
  readonly status: ComponentReport['status']
  readonly components: { readonly [kindAndId: string]: ComponentReport }
}

export interface ComponentReport {
  readonly status: ComponentStatus['status']
  readonly message?: string
  /** RFC 3339, when it came to this status. */
  readonly since: string
}
