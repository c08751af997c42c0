/** A server that speaks OTLP, for our own telemetry. */
export interface OtlpTarget {
  readonly timeoutMs: number
  readonly protocol: 'http' | 'grpc'
  /** With or without http(s)://; for HTTP `/v1/metrics` or `/v1/traces` is added where it has no path. */
  readonly endpoint: string
  /** Secrets: no message shows them. */
  readonly headers: { readonly [name: string]: string }
  readonly gzip: boolean
  /** Without TLS, where the endpoint does not say. */
  readonly insecure: boolean
  readonly caFile?: string
}

/** Our metrics sent over OTLP, every so often. */
export interface PushOptions extends OtlpTarget {
  readonly intervalMs: number
}

/** Traces of what the collector does. */
export interface TraceOptions {
  readonly exports: readonly TraceExport[]
  /** The share of batches that is traced, 0 to 1. */
  readonly ratio: number
}

export interface TraceExport extends OtlpTarget {
  /** Undefined: each span goes out at once. */
  readonly batch?: { readonly delayMs: number; readonly maxQueue: number; readonly maxSize: number }
}
