import type {
  AnyFactory,
  ConnectorFactory,
  ExporterFactory,
  ExtensionFactory,
  ProcessorFactory,
  ReceiverFactory,
} from '../component/index.js'

/** A valid configuration. Records are keyed by id. */
export interface ServiceConfig {
  readonly receivers: { readonly [id: string]: ComponentConfig<ReceiverFactory> }
  readonly processors: { readonly [id: string]: ComponentConfig<ProcessorFactory> }
  readonly exporters: { readonly [id: string]: ComponentConfig<ExporterFactory> }
  readonly connectors: { readonly [id: string]: ComponentConfig<ConnectorFactory> }
  readonly extensions: { readonly [id: string]: ComponentConfig<ExtensionFactory> }
  readonly service: {
    /** In the order to start them. */
    readonly extensions: readonly string[]
    readonly pipelines: { readonly [id: string]: PipelineConfig }
    readonly telemetry: TelemetryConfig
    readonly shutdownTimeoutMs: number
  }
}

export interface ComponentConfig<F extends AnyFactory = AnyFactory> {
  /** As written: `filelog/x` stays so, though its type is `file_log`. */
  readonly id: string
  /** The factory's type. */
  readonly type: string
  readonly name?: string
  /** Validated, with defaults, and with the common keys of its kind. */
  readonly config: object
  readonly factory: F
}

/** Ids as in the records of `ServiceConfig`; a connector is among the exporters of one pipeline and the receivers of another. */
export interface PipelineConfig {
  readonly id: string
  readonly receivers: readonly string[]
  readonly processors: readonly string[]
  readonly exporters: readonly string[]
}

export interface TelemetryConfig {
  readonly logs: {
    readonly level: 'debug' | 'info' | 'warn' | 'error'
    /** Undefined: readable on a terminal, JSON otherwise. */
    readonly encoding: 'console' | 'json' | undefined
  }
  readonly metrics: {
    readonly level: 'none' | 'basic' | 'normal' | 'detailed'
    /** `host:port`; undefined when the configuration names none. */
    readonly address: string | undefined
    /** Where they are sent besides. */
    readonly pushes: readonly MetricsPush[]
  }
  readonly tap: { readonly enabled: boolean; readonly socket?: string }
  /** Undefined: there are none. */
  readonly traces: TracesConfig | undefined
  /** Attributes of our own telemetry; null takes one away. */
  readonly resource: { readonly [name: string]: string | null }
}

/** A server that speaks OTLP, for our own telemetry. */
export interface OtlpTarget {
  readonly timeoutMs: number
  readonly protocol: 'http' | 'grpc'
  readonly endpoint: string
  /** Secrets. */
  readonly headers: { readonly [name: string]: string }
  readonly gzip: boolean
  /** gRPC without TLS. */
  readonly insecure: boolean
  readonly caFile?: string
}

/** Our metrics sent over OTLP, every so often. */
export interface MetricsPush extends OtlpTarget {
  readonly intervalMs: number
}

/** Traces of what the collector does; undefined batch: each span at once. */
export interface TracesConfig {
  readonly exports: readonly (OtlpTarget & {
    readonly batch?: { readonly delayMs: number; readonly maxQueue: number; readonly maxSize: number }
  })[]
  /** The share that is traced. */
  readonly ratio: number
}
