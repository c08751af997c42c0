import { receiverConformance, VirtualClock } from 'tocsin/testing'
import { describe, test } from 'vitest'
import { memoryStore } from '../../test/support/victorialogs-harness.js'
import { VictoriaLogsServer } from '../../test/support/victorialogs-server.js'
import type { VictoriaLogsConfig } from './config.js'
import { victorialogsReceiver } from './index.js'

describe('conformance', () => {
  const stores = new Map<object, ReturnType<typeof memoryStore>>()
  const checks = receiverConformance<VictoriaLogsConfig>({
    factory: victorialogsReceiver,
    rereads: true,
    source: async () => {
      const start = new VirtualClock().now()
      const begun = performance.now()
      const now = (): bigint => start + BigInt(Math.round((performance.now() - begun) * 10e6))
      const server = await VictoriaLogsServer.start({ now })
      let fed = 0
      const source = {
        config: { endpoint: server.url, query: '*', storage: 'file_storage' },
        feed: (count: number) =>
          Array.from({ length: count }, () => {
            const msg = `line ${++fed}.`
            server.insert({ msg, time: now() + BigInt(fed) })
            return msg
          }),
        close: () => server.down(),
      }
      stores.set(source, memoryStore())
      return source
    },
    context: source => ({ storage: () => stores.get(source) as ReturnType<typeof memoryStore> }),
  })
  test.each(checks.map(check => [check.name, check] as const))('%s', (_name, check) => check.run())
})
