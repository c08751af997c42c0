import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineExporter, defineExtension, defineReceiver } from 'tocsin/component'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startCollector } from '../support/collector.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const NOTHING = { type: 'object', additionalProperties: false, properties: {} } as const
const FAILS = { ...NOTHING, properties: { fails: { enum: ['create', 'start', 'stop'] } } } as const
const common = { api: 1, stability: 'development', description: 'For a test.' } as const

interface Failing {
  readonly fails?: 'create' | 'start' | 'stop'
}

const idle = defineReceiver({
  ...common,
  type: 'idle',
  schema: NOTHING,
  create: () => ({ start: async () => {}, stop: async () => {}, watermark: () => undefined }),
})

const sink = defineExporter<Failing>({
  ...common,
  type: 'sink',
  schema: FAILS,
  create: ({ config: { fails } }) => {
    if (fails === 'create') throw new Error('told not to be made')
    return {
      start: async () => {
        if (fails === 'start') throw new Error('told not to start')
      },
      stop: async () => {
        if (fails === 'stop') throw new Error('told not to stop')
      },
      send: async () => 'ok',
    }
  },
})

const helper = defineExtension<Failing>({
  ...common,
  type: 'helper',
  schema: FAILS,
  create: ({ config: { fails }, meter, reportStatus }) => ({
    start: async () => {
      meter.createObservableGauge('test_helpers').addCallback(result => result.observe(1, { fails }))
      reportStatus({ status: 'recoverable_error', message: 'in need of help' })
      if (fails === 'start') throw new Error('told not to start')
    },
    stop: async () => {
      if (fails === 'stop') throw new Error('told not to stop')
    },
  }),
})

const components = [idle, sink, helper]

const config = ({ exporters = '{ sink: }', extensions = '{ helper: }', started = '[helper]' } = {}) => `
receivers: { idle: }
exporters: ${exporters}
extensions: ${extensions}
service:
  extensions: ${started}
  pipelines:
    logs: { receivers: [idle], exporters: [sink] }
`

describe('a component that fails', () => {
  test.each([
    ['exporters', '{ sink: { fails: start } }', 'The exporter sink did not start: told not to start'],
    ['extensions', '{ helper: { fails: start } }', 'The extension helper did not start: told not to start'],
  ])('to start is named (%s)', async (section, value, message) => {
    await expect(startCollector(config({ [section]: value }), { components })).rejects.toThrow(message)
  })

  test('to stop keeps nothing else from stopping, and the report is made', async () => {
    const yaml = config({
      exporters: '{ sink: { fails: stop } }',
      extensions: '{ helper: { fails: stop }, health_check: { endpoint: 127.0.0.1:0 } }',
      started: '[health_check, helper]',
    })
    const collector = await startCollector(yaml, { components })
    expect(await collector.stop()).toMatchObject({ delivered: 0, dropped: 0 })
    const warnings = collector.logs.filter(({ level }) => level === 'warn').map(({ message }) => message)
    expect(warnings).toContain('The exporter did not stop cleanly.')
    expect(warnings).toContain('A component did not stop cleanly.')
  })

  test.each(['create', 'start'])('in a reload (%s) leaves none of its metrics', async fails => {
    const collector = await startCollector(config(), { components, folder })
    const next = config({
      exporters: `{ webhook: { endpoint: http://127.0.0.1:9 }, sink: { fails: ${fails} } }`,
      extensions: '{ helper: , helper/2: }',
      started: '[helper, helper/2]',
    }).replace('exporters: [sink]', 'exporters: [webhook, sink]')
    expect(await collector.reload(next)).toBe(false)
    const metrics = await collector.metrics()
    expect(metrics).toContain('otelcol_exporter_queue_size{exporter="sink"')
    expect(metrics).not.toContain('otelcol_exporter_queue_size{exporter="webhook"')
    expect(Object.keys(collector.status().extensions)).toEqual(['helper'])
    await collector.stop()
  })
})

describe('the status', () => {
  test('is that of a service that starts or stops until its pipelines run, and once they do no more', async () => {
    const seen: string[] = []
    let status = (): string => ''
    const watcher = defineExtension({
      ...common,
      type: 'watcher',
      schema: NOTHING,
      create: () => ({
        start: async host => {
          status = () => host.status().status
          seen.push(`extension starts: ${status()}`)
        },
        stop: async () => void seen.push(`extension stops: ${status()}`),
      }),
    })
    const slow = defineReceiver({
      ...common,
      type: 'slow',
      schema: NOTHING,
      create: () => ({
        start: async () => void seen.push(`receiver starts: ${status()}`),
        stop: async () => void seen.push(`receiver stops: ${status()}`),
        watermark: () => undefined,
      }),
    })
    const yaml = config({ extensions: '{ watcher: }', started: '[watcher]' }).replaceAll('idle', 'slow')
    const collector = await startCollector(yaml, { components: [...components, watcher, slow], folder })
    expect(collector.status().status).toBe('ok')
    expect(await collector.reload(`${yaml}# changed`)).toBe(true)
    await collector.stop()
    expect(seen).toEqual([
      'extension starts: starting',
      'receiver starts: starting',
      'receiver stops: stopping',
      'receiver starts: starting',
      'receiver stops: stopping',
      'extension stops: stopping',
    ])
  })

  test('names every component, exporters and extensions too', async () => {
    const yaml = `
receivers: { idle: }
processors: { batch: }
exporters: { sink: }
connectors: { forward: }
extensions: { health_check: { endpoint: 127.0.0.1:0 } }
service:
  extensions: [health_check]
  pipelines:
    logs/in: { receivers: [idle], processors: [batch], exporters: [forward] }
    logs/out: { receivers: [forward], exporters: [sink] }
`
    const collector = await startCollector(yaml, { components })
    const { status, pipelines, extensions } = collector.status()
    expect(status).toBe('ok')
    expect(Object.keys(pipelines).sort()).toEqual(['logs/in', 'logs/out'])
    expect(Object.keys(pipelines['logs/in']?.components ?? {}).sort()).toEqual([
      'connector:forward',
      'processor:batch',
      'receiver:idle',
    ])
    expect(Object.keys(pipelines['logs/out']?.components ?? {}).sort()).toEqual([
      'connector:forward',
      'exporter:sink',
    ])
    expect(extensions).toMatchObject({ health_check: { status: 'ok' } })
    await collector.stop()
  })

  test('forgets an extension that a reload took out, with its trouble and its metrics', async () => {
    const collector = await startCollector(config(), { components, folder })
    expect(collector.status().status).toBe('recoverable_error')
    expect(await collector.metrics()).toContain('test_helpers')
    expect(await collector.reload(config({ started: '[]' }))).toBe(true)
    expect(collector.status()).toMatchObject({ status: 'ok', extensions: {} })
    expect(await collector.metrics()).not.toContain('test_helpers')
    await collector.stop()
  })
})

test('a hundred reloads that are asked for at once are one; a stop comes before those that wait', async () => {
  const collector = await startCollector(config(), { components, folder })
  const answers = await Promise.all(Array.from({ length: 100 }, () => collector.reload(config())))
  expect(answers.every(changed => changed)).toBe(true)
  const reloads = () => collector.logs.filter(({ message }) => message.includes('is in force')).length
  expect(reloads()).toBeLessThanOrEqual(2)
  const before = reloads()
  const waiting = Array.from({ length: 10 }, () => collector.reload(config()))
  await collector.stop()
  await Promise.all(waiting)
  expect(reloads() - before).toBeLessThanOrEqual(1)
})

test('a reload that is asked for while it stops starts nothing', async () => {
  const collector = await startCollector(config(), { components, folder })
  const stopped = collector.stop()
  await writeFile(join(folder, 'tocsin.yaml'), config())
  expect(await collector.reload(config())).toBe(false)
  await stopped
  expect(collector.status()).toMatchObject({ pipelines: {}, extensions: {} })
})
