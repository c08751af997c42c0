import type { Clock, Listener } from '../component/index.js'
import type { Metrics } from '../telemetry/metrics.js'
import { serveGets } from '../toolkit/http/serve-gets.js'

export interface MetricsServer {
  readonly url: string
  close(): Promise<void>
}

/** Serves `GET /metrics` on a socket of the service. */
export function serveMetrics(metrics: Metrics, listener: Listener, clock: Clock): MetricsServer {
  const host = listener.host.includes(':') ? `[${listener.host}]` : listener.host
  const { close } = serveGets({
    listener,
    clock,
    answer: async path =>
      path === '/metrics'
        ? { code: 200, contentType: 'text/plain; version=0.0.4', body: await metrics.scrape() }
        : { code: 404, contentType: 'text/plain', body: 'The metrics are at /metrics.\n' },
  })
  return { url: `http://${host}:${listener.port}/metrics`, close }
}
