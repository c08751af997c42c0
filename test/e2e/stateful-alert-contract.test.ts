import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { startCollector } from '../support/collector.js'
import { freePort } from '../support/free-port.js'
import { shared, sharedTitle } from '../support/shared.js'

const contract = shared('contract/stateful-alert.yaml')
const alerts = shared('contract/alerts.csv')

test.skipIf(!contract || !alerts)(
  sharedTitle(
    'stateful-alert.yaml as it stands: OTLP in, a restart in the middle',
    'contract/stateful-alert.yaml',
  ),
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-contract-'))
    await copyFile(alerts as string, join(folder, 'alerts.csv'))
    const sink = await httpDestination()
    const http = await freePort()
    const env = {
      OTLP_GRPC: `127.0.0.1:${await freePort()}`,
      OTLP_HTTP: `127.0.0.1:${http}`,
      ONCALL_URL: sink.url,
      OUT_FILE: join(folder, 'all.jsonl'),
    }
    const yaml = await readFile(contract as string, 'utf8')
    const post = async (host: string, ...bodies: string[]): Promise<void> => {
      const logRecords = bodies.map(text => {
        now += 1_000
        return { timeUnixNano: `${now}000000`, body: { stringValue: text } }
      })
      const resource = { attributes: [{ key: 'host.name', value: { stringValue: host } }] }
      const response = await fetch(`http://127.0.0.1:${http}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }),
      })
      expect(response.status).toBe(200)
    }
    let now = Date.now() - 60_000

    const first = await startCollector(yaml, { folder, env })
    expect(first.logs.filter(({ message }) => message.includes('alerts.csv:'))).toEqual([])
    await post('host-1', 'ERROR db connection refused', 'INFO nothing', 'ERROR db connection refused')
    await post('host-2', 'disk usage 91%', 'disk usage 92%')
    await sink.waitFor(1)
    await first.stop()

    const second = await startCollector(yaml, { folder, env })
    await post('host-1', 'ERROR db connection refused', 'connection established')
    await post('host-2', 'disk usage 93%', 'disk usage: 60%')
    const sent = (await sink.waitFor(4)).map(({ body }) => JSON.parse(body))
    await second.stop()
    await sink.close()
    expect(sent.map(({ title }) => title)).toEqual([
      '[CRITICAL] Database Connection Failed (host-1)',
      '[RECOVERED after 6s] Database Connection Failed (host-1)',
      '[WARNING] High Disk Usage (host-2)',
      '[RECOVERED after 5s] High Disk Usage (host-2)',
    ])
    expect(sent[0].event_id).toBe(sent[1].event_id)
    expect(sent[1].alert.duplicate_count).toBe(2)
    expect(sent[2].alert.accumulating_count).toBe(3)
    expect(sink.accepted).toHaveLength(4)
    const all = (await readFile(env.OUT_FILE, 'utf8')).match(/"timeUnixNano"/g)
    expect(all).toHaveLength(9)
    await rm(folder, { recursive: true })
  },
)
