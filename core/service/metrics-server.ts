import { createServer, type Server } from 'node:http'
import type { Listener } from '../component/index.js'
import type { Metrics } from '../telemetry/metrics.js'

export interface MetricsServer {
  readonly url: string
  close(): Promise<void>
}

/** Serves `GET /metrics` on a socket of the service. */
export function serveMetrics(metrics: Metrics, listener: Listener): MetricsServer {
  const server: Server = createServer((request, response) => {
    const path = request.url?.split('?')[0]
    if (path !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('The metrics are at /metrics.\n')
      return
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
      return
    }
    metrics.scrape().then(
      text =>
        response
          .writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
          .end(request.method === 'HEAD' ? undefined : text),
      () => response.writeHead(500).end('The metrics could not be collected.\n'),
    )
  })
  server.keepAliveTimeout = 5_000
  server.headersTimeout = 10_000
  listener.handle(socket => server.emit('connection', socket))
  const host = listener.host.includes(':') ? `[${listener.host}]` : listener.host
  return {
    url: `http://${host}:${listener.port}/metrics`,
    async close() {
      await listener.release()
      server.closeAllConnections()
    },
  }
}
