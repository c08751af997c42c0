/** Our metrics sent over OTLP, every so often. */
export interface PushOptions {
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly protocol: 'http' | 'grpc'
  /** With or without http(s)://; for HTTP `/v1/metrics` is added where it has no path. */
  readonly endpoint: string
  /** Secrets: no message shows them. */
  readonly headers: { readonly [name: string]: string }
  readonly gzip: boolean
  /** Without TLS, where the endpoint does not say. */
  readonly insecure: boolean
  readonly caFile?: string
}
