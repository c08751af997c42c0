import { type Clock, errorText, type Logger } from '../component/index.js'
import type { Metrics } from '../telemetry/metrics.js'
import type { Listeners } from './listeners.js'
import { type MetricsServer, serveMetrics } from './metrics-server.js'
import type { MetricsSettings } from './settings.js'

/** The Prometheus endpoint of the service, moved when the configuration moves it. */
export class MetricsEndpoint {
  #server: MetricsServer | undefined
  #address = ''

  constructor(
    private readonly metrics: Metrics,
    private readonly listeners: Listeners,
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {}

  get url(): string | undefined {
    return this.#server?.url
  }

  /** Throws when an address that was asked for cannot be had; the default address may be taken. */
  async listen({ level, host, port, explicit }: MetricsSettings): Promise<void> {
    const address = level === 'none' ? '' : `${host}:${port}`
    if (address === this.#address) return
    await this.close()
    if (address === '') return
    try {
      this.#server = serveMetrics(this.metrics, await this.listeners.listen({ host, port }), this.clock)
      this.#address = address
    } catch (error) {
      if (explicit) throw error
      this.logger.warn(
        'Our own metrics are not served: set service.telemetry.metrics.address to a free address.',
        {
          reason: errorText(error),
        },
      )
    }
  }

  async close(): Promise<void> {
    await this.#server?.close()
    this.#server = undefined
    this.#address = ''
  }
}
