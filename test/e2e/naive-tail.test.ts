import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatRfc3339 } from 'tocsin/component'
import { httpDestination, seededRandom } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { startCollector } from '../support/collector.js'
import { shared, sharedTitle } from '../support/shared.js'

const LOG = shared('loghub/OpenSSH/OpenSSH_2k.log')

/** How many lines a new connection sends again. */
describe.each([0, 30, 10_000])(
  'a tail of old lines that is cut, without a query API, repeating %i lines',
  repeats => {
    test.skipIf(!LOG)(sharedTitle('is told of once', 'loghub'), async () => {
      const lines = (await readFile(LOG as string, 'utf8'))
        .split('\n')
        .filter(line => line.includes('Failed password'))
      const random = seededRandom(repeats + 1)
      const wire = lines.map((line, index) => {
        const time = BigInt(Date.parse(`2025 ${line.slice(0, 15)} UTC`)) * 1_000_000n + BigInt(index) * 1_000n
        return Buffer.from(
          `${JSON.stringify({ _time: formatRfc3339(time), _stream: '{app="ssh"}', _msg: line })}\n`,
        )
      })
      let next = 0
      let cuts = 0
      const server = createServer(async (request, response) => {
        if (!request.url?.startsWith('/select/logsql/tail'))
          return void response.writeHead(404).end('not here')
        response.writeHead(200, { 'content-type': 'application/x-ndjson' })
        response.flushHeaders()
        const sent = next
        next = Math.max(0, next - repeats)
        // Whole lines up to the cut, then a piece of one.
        const end = cuts < 4 ? Math.min(wire.length, sent + 60 + Math.floor(random() * 60)) : wire.length
        let bytes = Buffer.concat(wire.slice(next, end))
        next = end
        while (bytes.length > 0) {
          const size = 1 + Math.floor(random() * 400)
          response.write(bytes.subarray(0, size))
          bytes = bytes.subarray(size)
          if (random() < 0.05) await new Promise(resolve => setTimeout(resolve, 1))
        }
        if (end === wire.length) return
        cuts++
        response.write(wire[end]?.subarray(0, 20) ?? '')
        setTimeout(() => (cuts % 2 ? response.destroy() : response.end()), 20)
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const sink = await httpDestination()
      const collector = await startCollector(`
receivers:
  victorialogs: { endpoint: 'http://127.0.0.1:${(server.address() as AddressInfo).port}/', query: '"Failed password"' }
exporters:
  webhook: { endpoint: '${sink.url}', body_template: '{{json body}}' }
service:
  pipelines:
    logs: { receivers: [victorialogs], exporters: [webhook] }
`)
      const told = await sink.waitFor(lines.length)
      await new Promise(resolve => setTimeout(resolve, 300))
      const accepted = await collector.metric('otelcol_receiver_accepted_log_records')
      await collector.stop()
      server.closeAllConnections()
      server.close()
      await sink.close()
      expect(cuts).toBe(4)
      expect(told.map(request => JSON.parse(request.body))).toEqual(lines)
      expect(sink.requests).toHaveLength(lines.length)
      expect(accepted).toBe(lines.length)
    })
  },
)
