import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination } from 'tocsin/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { startCollector } from '../support/collector.js'
import { freePort } from '../support/free-port.js'

import { redisServerBinary, startRedis } from '../support/redis.js'

const SECRET = 'correct-horse'

describe.skipIf(!redisServerBinary())('a Redis that cannot be used at the start', () => {
  const cleanups: (() => Promise<void> | void)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  /** State, checkpoints and the queue are in Redis. */
  const configuration = (endpoint: string, sink: string): string => `
receivers:
  file_log: { include: [in.log], start_at: beginning, storage: redis_storage }
  file_log/plain: { include: [in.log], start_at: beginning }
processors:
  throttle: { key: '{{body}}', count: 1, window: 24h, storage: redis_storage }
exporters:
  webhook: { endpoint: '${sink}/queued', sending_queue: { storage: redis_storage } }
  webhook/plain: { endpoint: '${sink}/plain', sending_queue: { enabled: false } }
extensions:
  redis_storage: { endpoint: '${endpoint}', password: ${SECRET}, timeout: 300ms }
service:
  extensions: [redis_storage]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [file_log], processors: [throttle], exporters: [webhook] }
    logs/plain: { receivers: [file_log/plain], processors: [throttle], exporters: [webhook/plain] }
`

  const bad = {
    async 'is down'() {
      const redis = await startRedis({ args: ['--requirepass', SECRET], cliArgs: ['-a', SECRET] })
      cleanups.push(() => redis.stop())
      await redis.kill()
      return { endpoint: redis.endpoint, mend: () => redis.restart() }
    },
    async 'wants another password'() {
      const auth = (password: string): string[] => ['-a', password, '--no-auth-warning']
      const redis = await startRedis({ args: ['--requirepass', 'another'] })
      cleanups.push(() => redis.stop())
      const mend = async (): Promise<void> =>
        void redis.cli(...auth('another'), 'config', 'set', 'requirepass', SECRET)
      return { endpoint: redis.endpoint, mend }
    },
    async 'wants TLS'() {
      const folder = mkdtempSync(join(tmpdir(), 'tocsin-tls-'))
      cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
      const file = (name: string): string => join(folder, name)
      const made = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=redis', '-days', '2']
      execFileSync('openssl', ['req', ...made, '-keyout', file('key'), '-out', file('crt')], {
        stdio: 'ignore',
      })
      const port = await freePort()
      const tls = ['--tls-cert-file', file('crt'), '--tls-key-file', file('key'), '--tls-auth-clients', 'no']
      const redis = await startRedis({
        args: ['--tls-port', `${port}`, '--tls-ca-cert-file', file('crt'), ...tls],
      })
      cleanups.push(() => redis.stop())
      // Nothing but another configuration mends it.
      return { endpoint: `127.0.0.1:${port}`, mend: undefined }
    },
  }

  for (const [what, make] of Object.entries(bad)) {
    test(`${what}: the collector starts, says so, goes on, and loses nothing`, async () => {
      const { endpoint, mend } = await make()
      const sink = await httpDestination()
      cleanups.push(() => sink.close())
      const folder = mkdtempSync(join(tmpdir(), 'tocsin-start-'))
      cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
      writeFileSync(join(folder, 'in.log'), 'one\ntwo\n')
      const collector = await startCollector(configuration(endpoint, sink.url), { folder })
      cleanups.push(() => collector.stop().then(() => undefined))
      // Without Redis state goes on in memory.
      await sink.waitFor(2, '/plain')
      expect(sink.accepted.filter(({ path }) => path === '/queued')).toEqual([])
      const said = JSON.stringify(collector.logs)
      expect(said).toContain(`Redis at ${endpoint}`)
      expect(said).not.toContain(SECRET)
      if (!mend) return
      await mend()
      await sink.waitFor(2, '/queued')
      const bodies = sink.accepted
        .filter(({ path }) => path === '/queued')
        .map(({ body }) => JSON.parse(body).body)
      expect(bodies.sort()).toEqual(['one', 'two'])
    })
  }
})
