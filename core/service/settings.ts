import type { Problem } from '../component/index.js'
import type { ComponentPlan, GraphPlan } from '../pipeline/plan.js'
import type { LogLevel } from '../telemetry/logger.js'
import type { PushOptions, TraceOptions } from '../telemetry/push-options.js'

/** A validated configuration, as the service runs it. */
export interface ServiceSettings {
  readonly graph: GraphPlan
  /** In the order of `service.extensions`. */
  readonly extensions: ReadonlyMap<string, ComponentPlan>
  readonly logs: { readonly level: LogLevel; readonly encoding: 'console' | 'json' | undefined }
  readonly metrics: MetricsSettings
  /** Undefined: nobody may look on. */
  readonly tap?: { readonly socket: string | undefined }
  /** Undefined: nothing is traced. */
  readonly traces?: TraceOptions
  /** Attributes of our own metrics, on `target_info`; null takes one away. */
  readonly resource: { readonly [name: string]: string | null }
  readonly shutdownTimeoutMs: number
  /** The folder that relative paths start from. */
  readonly baseDir: string
  readonly warnings: readonly Problem[]
  /** A text from outside without the secrets of the configuration. */
  readonly redact?: (text: string) => string
  /** For the log: what the configuration was read from. */
  readonly notes?: readonly string[]
}

export interface MetricsSettings {
  readonly level: 'none' | 'basic' | 'normal' | 'detailed'
  readonly host: string
  readonly port: number
  /** Asked for in the configuration: then a port that is taken is an error, else a warning. */
  readonly explicit: boolean
  /** Where they are sent besides. */
  readonly pushes: readonly PushOptions[]
}
