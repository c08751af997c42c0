import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination } from 'tocsin/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { processIo } from '../../core/cli/io.js'
import { load } from '../../core/cli/load.js'
import { statefulAlert } from '../../distributions/stateful-alert/index.js'
import { runCommand } from '../support/command.js'
import { redisServerBinary, startRedis, type TestRedis } from '../support/redis.js'
import { ROOT } from '../support/shared.js'

const EXAMPLES = join(ROOT, 'distributions/stateful-alert/examples')

/** The titles that an example prints. It reads its log to the end, and ends. */
async function titles(name: string, env: { readonly [name: string]: string } = {}): Promise<string[]> {
  const metrics = ['--set', 'service.telemetry.metrics.level=none']
  const { code, stdout, stderr } = await runCommand(['--config', join(EXAMPLES, name), ...metrics], { env })
  expect(code, stderr).toBe(0)
  return [...stdout.matchAll(/UTC {2}(.+)/g)].map(([, title = '']) => title)
}

describe('every example is a configuration of the distribution', () => {
  for (const name of readdirSync(EXAMPLES).filter(file => /(?<!\.test)\.yaml$/.test(file))) {
    test(name, async () => {
      const io = { ...processIo(), cwd: tmpdir(), env: { ONCALL_URL: 'http://127.0.0.1:1/' } }
      const { settings } = await load(statefulAlert, { config: [join(EXAMPLES, name)], set: [] }, io)
      expect(settings.warnings).toEqual([])
      expect(readFileSync(join(EXAMPLES, '../README.md'), 'utf8')).toContain(`examples/${name}`)
    })
  }

  test('and so is the demonstration of the distribution', async () => {
    expect(statefulAlert.demo).toBe(join(EXAMPLES, 'demo.yaml'))
  })
})

describe('the examples tell what they promise', () => {
  let redis: TestRedis | undefined
  beforeAll(async () => {
    if (redisServerBinary()) redis = await startRedis()
  })
  afterAll(() => redis?.stop())

  test('immediate', async () => {
    expect(await titles('immediate.yaml')).toEqual([
      '[CRITICAL] Database Down',
      '[STILL ACTIVE] Database Down',
      '[RECOVERED] Database Down',
      '[NOT ACTIVE] Database Down',
      '[CRITICAL] Fatal Exception Detected',
    ])
  })

  test('threshold', async () => {
    expect(await titles('threshold.yaml')).toEqual([
      ...Array(6).fill('[ACCUMULATING] Rate Limit Exceeded'),
      '[WARNING] Rate Limit Exceeded',
      ...Array(2).fill('[STILL ACTIVE] Rate Limit Exceeded'),
      '[RECOVERING] Rate Limit Exceeded',
      '[RECOVERED after 2m 5s] Rate Limit Exceeded',
      '[NOT ACTIVE] Rate Limit Exceeded',
    ])
  })

  test('correlation', async () => {
    expect(await titles('correlation.yaml')).toEqual([
      '[CRITICAL] Database Down (host-1, api-service)',
      '[CRITICAL] Database Down (host-2, api-service)',
      '[STILL ACTIVE] Database Down (host-1, api-service)',
      '[RECOVERED] Database Down (host-1, api-service)',
      '[STILL ACTIVE] Database Down (host-2, api-service)',
    ])
  })

  test('redis: the next collector knows what is active', async context => {
    if (!redis) return context.skip('there is no redis-server')
    const env = { REDIS_ENDPOINT: redis.endpoint }
    expect((await titles('redis.yaml', env)).at(-1)).toBe('[CRITICAL] Fatal Exception Detected')
    expect((await titles('redis.yaml', env)).at(-1)).toBe('[STILL ACTIVE] Fatal Exception Detected')
  })

  test('webhook: alerts and recoveries, nothing else', async () => {
    const sink = await httpDestination()
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-webhook-'))
    const out = join(folder, 'all.jsonl')
    await titles('webhook.yaml', { ONCALL_URL: sink.url, OUT_FILE: out })
    await sink.close()
    const sent = sink.accepted.map(({ body }) => JSON.parse(body).alert.status)
    const all = (await readFile(out, 'utf8')).match(/"logRecords":|"body":/g)?.length ?? 0
    await rm(folder, { recursive: true })
    expect(sent).toEqual(['alert', 'recovery', 'alert'])
    expect(all).toBeGreaterThanOrEqual(6)
  })
})
