import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HttpDestination, httpDestination } from 'tocsin/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startCollector } from '../support/collector.js'
import { startCommand } from '../support/command.js'

const BURSTS = 100
const BURST = 30
const RELOAD_MS = 200

let folder = ''
let sink: HttpDestination
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-reload-'))
  await writeFile(join(folder, 'in.log'), '')
  sink = await httpDestination()
})
afterEach(async () => {
  await sink.close()
  await rm(folder, { recursive: true, force: true })
})

describe('reloads in the middle of a load', () => {
  test.each([
    ['a queue in memory', false],
    ['a durable queue', true],
  ])('bring each line once, in order, with %s', async (_, durable) => {
    const command = startCommand(['--config', `yaml:${configuration(durable)}`])
    await command.says(/is running/)
    const reloading = setInterval(() => command.child.kill('SIGHUP'), RELOAD_MS)
    const lines = Array.from({ length: BURSTS * BURST }, (_, index) => `line ${index}`)
    for (let burst = 0; burst < BURSTS; burst++) {
      const text = lines.slice(burst * BURST, (burst + 1) * BURST).join('\n')
      await appendFile(join(folder, 'in.log'), `${text}\n`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    await sink.waitFor(lines.length)
    clearInterval(reloading)
    command.child.kill('SIGTERM')
    const { code, stderr } = await command.finished
    expect(code).toBe(0)
    expect(sink.accepted.map(({ body }) => JSON.parse(body).body)).toEqual(lines)
    expect(stderr.match(/The new configuration is in force/g)?.length).toBeGreaterThan(5)
  })

  test('lose nothing that a throttle passed while the destination is down, and do not wait for it', async () => {
    const lines = Array.from({ length: 3_000 }, (_, index) => `line ${index}`)
    await writeFile(join(folder, 'in.log'), `${lines.join('\n')}\n`)
    sink.answer = () => 503
    const yaml = configuration(false)
      .replace('webhook:', 'webhook:\n    sending_queue: { queue_size: 10 }')
      .replace('processors: []', 'processors: [throttle]')
      .replace('exporters:', "processors:\n  throttle: { key: '{{body}}', count: 1, window: 1h }\nexporters:")
    const collector = await startCollector(yaml)
    await expect.poll(() => collector.metric('otelcol_exporter_queue_size')).toBeGreaterThan(9)
    // The destination answers nothing but 503 until they are done.
    for (let reload = 0; reload < 3; reload++) expect(await collector.reload(yaml)).toBe(true)
    expect(sink.accepted).toEqual([])
    sink.answer = undefined
    await sink.waitFor(lines.length)
    await collector.stop()
    expect(sink.accepted.map(({ body }) => JSON.parse(body).body)).toEqual(lines)
  })
})

function configuration(durable: boolean): string {
  const storage = durable ? ', storage: file_storage' : ''
  return `
receivers:
  file_log: { include: ['${folder}/in.log'], start_at: beginning, poll_interval: 10ms${storage} }
exporters:
  webhook:
    endpoint: ${sink.url}
    retry_on_failure: { initial_interval: 20ms, max_interval: 100ms }
${durable ? `extensions:\n  file_storage: { directory: '${folder}/data' }\n` : ''}
service:
  ${durable ? 'extensions: [file_storage]' : ''}
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [file_log], processors: [], exporters: [webhook] }
`
}
