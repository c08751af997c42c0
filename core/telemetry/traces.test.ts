import { gunzipSync } from 'node:zlib'
import { collectingLogger, httpDestination, type LogEntry, VirtualClock } from 'tocsin/testing'
import { afterEach, expect, it } from 'vitest'
import type { TraceExport } from './push-options.js'
import { Traces } from './traces.js'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function started(options: Partial<TraceExport> = {}, ratio = 1) {
  const sink = await httpDestination()
  stops.push(() => sink.close())
  const logs: LogEntry[] = []
  const traces = new Traces(
    { 'service.name': 'tocsin' },
    collectingLogger(logs),
    new VirtualClock('2026-01-15T10:00:00Z'),
  )
  stops.push(() => traces.close())
  const target: TraceExport = {
    timeoutMs: 2_000,
    protocol: 'http',
    endpoint: sink.url,
    headers: { 'x-key': 's3cret' },
    gzip: true,
    insecure: false,
    ...options,
  }
  await traces.apply({ exports: [target], ratio })
  return { sink, logs, traces }
}

const BATCH = { delayMs: 60_000, maxQueue: 100, maxSize: 50 }

it('sends a span for each offer and each attempt, with what became of the records', async () => {
  const { sink, traces } = await started({ batch: BATCH })
  traces.receiver('otlp')?.(3, 'http')()
  traces.receiver('otlp')?.(2)('pipeline_full')
  const exporter = traces.exporter('webhook/ops', {
    send: async ({ attempt }) => (attempt === 1 ? { reason: 'gone fishing' } : 'ok'),
  })
  const request = { records: [{} as never], pipeline: 'logs', queuedAt: 0n }
  const { signal } = new AbortController()
  expect(await exporter.send({ ...request, attempt: 1 }, signal)).toEqual({ reason: 'gone fishing' })
  expect(await exporter.send({ ...request, attempt: 2 }, signal)).toBe('ok')
  await traces.close()
  expect(sink.accepted).toHaveLength(1)
  const [{ path, headers, bytes }] = sink.accepted as [(typeof sink.accepted)[0]]
  expect(path).toBe('/v1/traces')
  expect(headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'x-key': 's3cret' })
  const body = gunzipSync(bytes).toString('latin1')
  for (const text of [
    ...['receiver/otlp/LogsReceived', 'accepted_log_records', 'refused_log_records', 'pipeline_full'],
    ...['exporter/webhook/ops/logs', 'items.sent', 'items.failed', 'gone fishing', 'service.name'],
  ])
    expect(body).toContain(text)
})

it('sends each span at once where it is asked to', async () => {
  const { sink, traces } = await started()
  traces.receiver('otlp')?.(3)()
  await sink.waitFor(1)
})

it('says once that they do not arrive, and goes on', async () => {
  const { sink, logs, traces } = await started()
  sink.answer = () => 400
  traces.receiver('otlp')?.(1)()
  traces.receiver('otlp')?.(1)()
  await expect.poll(() => sink.requests.length).toBe(2)
  sink.answer = undefined
  await expect.poll(() => logs.map(({ level }) => level)).toEqual(['warn'])
  traces.receiver('otlp')?.(1)()
  await expect.poll(() => logs.map(({ level }) => level)).toEqual(['warn', 'info'])
  expect(JSON.stringify(logs)).not.toContain('s3cret')
})

it('leaves components as they are while nothing is traced', async () => {
  const { traces } = await started()
  await traces.apply(undefined)
  const exporter = { send: async () => 'ok' as const }
  expect(traces.exporter('webhook', exporter)).toBe(exporter)
  expect(traces.receiver('otlp')).toBeUndefined()
})
