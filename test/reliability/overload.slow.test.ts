import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Running, startCommand } from '../support/command.js'

const SECONDS = 120
/** One request at a time, so this is the sustainable rate: 100 a second. */
const ANSWER_MS = 10
const OFFERED_A_SECOND = 10 * (1_000 / ANSWER_MS)
const LINE = `${'x'.repeat(1_000)}\n`
const QUEUE_SIZE = 500
/** What a collector at rest takes, about 110 MiB, and as much again. */
const MOST_RSS = 256 * 2 ** 20

test('ten times what can be sent, for two minutes, stays within its bounds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-overload-'))
  const destination = createServer((request, response) => {
    request.resume().on('end', () => setTimeout(() => response.end('ok'), ANSWER_MS))
  }).listen(0, '127.0.0.1')
  await once(destination, 'listening')
  const url = `http://127.0.0.1:${(destination.address() as AddressInfo).port}/`
  try {
    const results = await Promise.all([
      overload('a queue in memory', url, undefined),
      overload('a durable queue', url, join(folder, 'data')),
    ])
    for (const { name, offered, taken, peakQueue, peakRss, lateRss } of results) {
      console.log(
        `Overload, ${name}: ${offered} lines offered, ${taken} taken, at most ${peakQueue} requests queued, ` +
          `peak memory ${mib(peakRss)} MiB, ${mib(lateRss)} MiB in the last half minute.`,
      )
      // The source had to wait.
      expect(taken, name).toBeLessThan(offered / 2)
      expect(peakQueue, name).toBeGreaterThan(QUEUE_SIZE / 2)
      expect(peakQueue, name).toBeLessThanOrEqual(QUEUE_SIZE)
      expect(lateRss, name).toBeGreaterThan(0)
      expect(peakRss, name).toBeLessThan(MOST_RSS)
    }
  } finally {
    destination.closeAllConnections()
    destination.close()
    await rm(folder, { recursive: true, force: true })
  }
}, 900_000)

interface Overload {
  readonly name: string
  readonly offered: number
  readonly taken: number
  readonly peakQueue: number
  readonly peakRss: number
  /** The mean of the last half minute. */
  readonly lateRss: number
}

async function overload(name: string, url: string, data: string | undefined): Promise<Overload> {
  const command = startCommand(['--config', `yaml:${configuration(url, data)}`])
  await command.says(/Our own metrics: http/)
  const metricsUrl = /Our own metrics: (http\S+?)"/.exec(command.output().stderr)?.[1] as string
  const seen: { queue: number; rss: number }[] = []
  let offered = 0
  const began = performance.now()
  for (let second = 1; second <= SECONDS; second++) {
    for (let tenth = 1; tenth <= 10; tenth++) {
      for (let line = 0; line < OFFERED_A_SECOND / 10; line++) offer(command)
      offered += OFFERED_A_SECOND / 10
      const waitMs = began + (second - 1) * 1_000 + tenth * 100 - performance.now()
      if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs))
    }
    const metrics = await (await fetch(metricsUrl)).text()
    seen.push({
      queue: metric(metrics, 'otelcol_exporter_queue_size'),
      rss: metric(metrics, 'otelcol_process_memory_rss'),
    })
  }
  const taken = metric(await (await fetch(metricsUrl)).text(), 'otelcol_receiver_accepted_log_records')
  command.child.kill('SIGTERM')
  const { code } = await command.finished
  expect(code, name).toBe(0)
  const late = seen.slice(-30)
  return {
    name,
    offered,
    taken,
    peakQueue: Math.max(...seen.map(({ queue }) => queue)),
    peakRss: Math.max(...seen.map(({ rss }) => rss)),
    lateRss: late.reduce((sum, { rss }) => sum + rss, 0) / late.length,
  }
}

/** A line, unless the pipe is full: then its writer would wait. */
function offer({ child }: Running): void {
  if (child.stdin && child.stdin.writableLength < 1_000_000) child.stdin.write(LINE)
}

/** The sum over the series of a metric, whose name may carry a unit. 0 when there is none yet. */
function metric(text: string, name: string): number {
  const values = text.matchAll(new RegExp(`^${name}\\w*(?:\\{.*?\\})? ([\\d.e+-]+)`, 'gm'))
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0)
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}

function configuration(url: string, data: string | undefined): string {
  return `
receivers:
  stdin:
exporters:
  webhook:
    endpoint: ${url}
    sending_queue: { queue_size: ${QUEUE_SIZE} }
${data ? `extensions:\n  file_storage: { directory: '${data}' }` : ''}
service:
  ${data ? 'extensions: [file_storage]' : ''}
  shutdown_timeout: 2s
  telemetry: { metrics: { address: '127.0.0.1:0' } }
  pipelines:
    logs: { receivers: [stdin], exporters: [webhook] }
`
}
