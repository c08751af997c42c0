import type { PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { Clock, Logger } from '../component/index.js'
import type { Metrics } from './metrics.js'
import { authorities, PushHealth, targetUrl } from './otlp-target.js'
import type { PushOptions } from './push-options.js'

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
  readonly #health: PushHealth
  #cancel: () => void = () => {}
  #ended = false

  constructor(
    private readonly options: PushOptions,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
    logger: Logger,
  ) {
    const target = targetUrl(options, '/v1/metrics')
    this.#health = new PushHealth('Our own metrics', target, logger)
    this.#exporter = createExporter(options, target)
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
      this.#health.worked()
    } catch (error) {
      this.#health.failed(error)
    }
  }
}

/** The libraries are loaded where metrics are sent. */
async function createExporter(options: PushOptions, url: string): Promise<PushMetricExporter> {
  const ca = await authorities(options)
  return options.protocol === 'http'
    ? (await import('./push-over-http.js')).overHttp(options, url, ca)
    : (await import('./push-over-grpc.js')).overGrpc(options, url, ca)
}
