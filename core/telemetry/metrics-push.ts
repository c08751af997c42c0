import { readFile } from 'node:fs/promises'
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics'
import { type Clock, errorText, type Logger } from '../component/index.js'
import type { Metrics } from './metrics.js'

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

/** Sends our own metrics to where the configuration says, until it says otherwise. */
export class MetricsPush {
  #running: readonly Push[] = []
  #applied = '[]'

  constructor(
    private readonly metrics: Metrics,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  async apply(pushes: readonly PushOptions[]): Promise<void> {
    const wanted = JSON.stringify(pushes)
    if (wanted === this.#applied) return
    await this.close()
    this.#applied = wanted
    this.#running = pushes.map(options => new Push(options, this.metrics, this.clock, this.logger))
  }

  /** Sends them a last time. */
  async close(): Promise<void> {
    const ended = this.#running
    this.#running = []
    this.#applied = '[]'
    await Promise.all(ended.map(push => push.end()))
  }
}

/** How long the last export may hold up a stop. */
const LAST_MS = 2_000

class Push {
  readonly #exporter: Promise<PushMetricExporter>
  readonly #target: string
  #cancel: () => void = () => {}
  #ended = false
  #failed = false

  constructor(
    private readonly options: PushOptions,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    this.#target = urlOf(options)
    this.#exporter = createExporter(options, this.#target)
    this.#exporter.catch(() => {})
    this.#next()
  }

  async end(): Promise<void> {
    this.#ended = true
    this.#cancel()
    const over = new AbortController()
    const late = this.clock.sleep(LAST_MS, over.signal).catch(() => {})
    await Promise.race([late, this.#send()])
    over.abort()
    void this.#exporter.then(exporter => exporter.shutdown()).catch(() => {})
  }

  #next(): void {
    this.#cancel = this.clock.schedule(this.options.intervalMs, () => {
      void this.#send().then(() => {
        if (!this.#ended) this.#next()
      })
    })
  }

  async #send(): Promise<void> {
    try {
      const exporter = await this.#exporter
      const collected = await this.metrics.collect()
      await new Promise<void>((resolve, reject) => {
        exporter.export(collected, ({ code, error }) => {
          if (code === 0) resolve()
          else reject(error ?? new Error('the export failed'))
        })
      })
      if (this.#failed) this.logger.info('Our own metrics are sent again.', { endpoint: this.#target })
      this.#failed = false
    } catch (error) {
      // Once, until it works again.
      if (!this.#failed) {
        this.logger.warn('Our own metrics could not be sent; the next interval tries again.', {
          endpoint: this.#target,
          reason: errorText(error),
        })
      }
      this.#failed = true
    }
  }
}

/** Without user and password. */
function urlOf({ protocol, endpoint, insecure }: PushOptions): string {
  const scheme = protocol === 'grpc' && !insecure ? 'https' : 'http'
  const url = new URL(/^https?:\/\//i.test(endpoint) ? endpoint : `${scheme}://${endpoint}`)
  url.username = ''
  url.password = ''
  if (protocol === 'http' && url.pathname === '/') url.pathname = '/v1/metrics'
  return url.href
}

/** The libraries are loaded where metrics are sent. */
async function createExporter(options: PushOptions, url: string): Promise<PushMetricExporter> {
  const { protocol, headers, gzip, timeoutMs, caFile } = options
  const ca = caFile === undefined ? undefined : await readFile(caFile)
  const common = { url, timeoutMillis: timeoutMs, compression: (gzip ? 'gzip' : 'none') as never }
  if (protocol === 'http') {
    const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-proto')
    return new OTLPMetricExporter({
      ...common,
      headers: { ...headers },
      ...(ca && { httpAgentOptions: { ca } }),
    })
  }
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-grpc')
  const { credentials, Metadata } = await import('@grpc/grpc-js')
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  const secure = url.startsWith('https:')
  return new OTLPMetricExporter({
    ...common,
    metadata,
    credentials: secure ? credentials.createSsl(ca) : credentials.createInsecure(),
  })
}
