import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineExporter, defineProcessor, defineReceiver, type Intake } from 'tocsin/component'
import { httpDestination, sampleRecord, VirtualClock } from 'tocsin/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startCollector } from '../support/collector.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A receiver that offers what the test hands it; a processor and an exporter that fail when told to. */
function testComponents() {
  const intakes: Intake[] = []
  const events: string[] = []
  const source = defineReceiver({
    api: 1,
    type: 'source',
    stability: 'development',
    description: 'Offers what a test hands it.',
    schema: { type: 'object', additionalProperties: false, properties: {} },
    create: ({ id }) => ({
      async start(intake: Intake) {
        events.push(`start ${id}`)
        intakes.push(intake)
      },
      async stop() {
        events.push(`stop ${id}`)
      },
      watermark: () => undefined,
    }),
  })
  const step = defineProcessor<{ fails: boolean }>({
    api: 1,
    type: 'step',
    stability: 'development',
    description: 'Marks records, or fails at bad ones.',
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: { fails: { type: 'boolean', default: false, description: 'Refuses to start.' } },
    },
    create: ({ config: { fails }, id, pipeline }) => ({
      async start() {
        if (fails) throw new Error('told not to start')
        events.push(`start ${id}`)
      },
      async stop() {
        events.push(`stop ${id}`)
      },
      process: records => {
        if (records.some(record => record.body === 'bad')) throw new Error('cannot take this')
        return records.map(record => record.with('attributes["seen_by"]', `${pipeline}`))
      },
    }),
  })
  const kept: string[] = []
  const keep = defineExporter({
    api: 1,
    type: 'keep',
    stability: 'development',
    description: 'Keeps what it is sent, in memory.',
    schema: { type: 'object', additionalProperties: false, properties: {} },
    create: ({ id }) => ({
      async start() {
        events.push(`start ${id}`)
      },
      async stop() {
        events.push(`stop ${id}`)
      },
      send: async ({ records, pipeline }) => {
        kept.push(
          ...records.map(
            record => `${pipeline} ${record.body} ${record.get('attributes["seen_by"]') ?? '-'}`,
          ),
        )
        return 'ok'
      },
    }),
  })
  return { components: [source, step, keep], intakes, events, kept }
}

const SIMPLE = `
receivers: { source: }
processors: { step: }
exporters: { keep: }
service:
  pipelines:
    logs: { receivers: [source], processors: [step], exporters: [keep] }
`

describe('a service', () => {
  test('starts exporters, processors, receivers, and stops the other way', async () => {
    const { components, events, intakes } = testComponents()
    const collector = await startCollector(SIMPLE, { components })
    await intakes[0]?.offer([sampleRecord()])
    await collector.stop()
    expect(events).toEqual([
      'start keep',
      'start step',
      'start source',
      'stop source',
      'stop step',
      'stop keep',
    ])
  })

  test('one receiver and exporter serve several pipelines; a processor is one per pipeline; branches do not mix', async () => {
    const { components, intakes, kept, events } = testComponents()
    const collector = await startCollector(
      SIMPLE.replace(
        'logs: {',
        'logs/plain: { receivers: [source], exporters: [keep] }\n    logs/two: { receivers: [source], processors: [step], exporters: [keep] }\n    logs: {',
      ),
      { components },
    )
    expect(intakes).toHaveLength(1)
    expect(events.filter(event => event === 'start step')).toHaveLength(2)
    await intakes[0]?.offer([sampleRecord({ body: 'x', attributes: {} })])
    await collector.stop()
    expect(kept.sort()).toEqual(['logs x logs', 'logs/plain x -', 'logs/two x logs/two'])
  })

  test('a forward connector joins pipelines', async () => {
    const { components, intakes, kept } = testComponents()
    const collector = await startCollector(
      `
receivers: { source: }
processors: { step: }
exporters: { keep: }
connectors: { forward: }
service:
  pipelines:
    logs/in: { receivers: [source], exporters: [forward] }
    logs/out: { receivers: [forward], processors: [step], exporters: [keep] }
`,
      { components },
    )
    expect(await intakes[0]?.offer([sampleRecord({ body: 'x' })])).toMatchObject({ deadLettered: 0 })
    await collector.stop()
    expect(kept).toEqual(['logs/out x logs/out'])
  })

  test('a processor that throws costs its batch alone: dead-lettered, counted, logged', async () => {
    const { components, intakes, kept } = testComponents()
    const collector = await startCollector(SIMPLE, { components })
    expect(await intakes[0]?.offer([sampleRecord({ body: 'bad' })])).toMatchObject({ deadLettered: 1 })
    expect(await intakes[0]?.offer([sampleRecord({ body: 'good' })])).toMatchObject({ deadLettered: 0 })
    expect(kept).toEqual(['logs good logs'])
    expect(await collector.metric('tocsin_dead_letter_log_records_total')).toBe(1)
    expect(
      collector.logs.some(
        ({ level, attributes }) => level === 'error' && attributes.reason === 'cannot take this',
      ),
    ).toBe(true)
    // Nothing keeps dead letters here.
    expect(await collector.stop()).toMatchObject({ delivered: 1, dropped: 1 })
  })

  test('counts under the names of the Collector', async () => {
    const { components, intakes } = testComponents()
    const collector = await startCollector(SIMPLE, { components })
    await intakes[0]?.offer([sampleRecord(), sampleRecord()])
    for (const name of [
      'otelcol_receiver_accepted_log_records',
      'otelcol_processor_incoming_items',
      'otelcol_processor_outgoing_items',
      'otelcol_exporter_sent_log_records',
    ]) {
      expect(await collector.metric(name), name).toBe(2)
    }
    const text = await collector.metrics()
    expect(text).toMatch(/otelcol_exporter_queue_capacity\{exporter="keep"[^}]*\} 1000/)
    expect(text).toMatch(
      /otelcol_processor_incoming_items\{processor="step",pipeline="logs",otel_signal="logs"\} 2/,
    )
    expect(text).toMatch(/^target_info\{.*service_name="tocsin"/m)
    await collector.stop()
  })

  test('the status of each pipeline tells of its worst component', async () => {
    const sink = await httpDestination()
    sink.answer = () => 503
    const { components, intakes } = testComponents()
    const collector = await startCollector(
      SIMPLE.replace(
        'keep: }',
        `webhook: { endpoint: '${sink.url}', retry_on_failure: { initial_interval: 20ms } } }`,
      ).replace('[keep]', '[webhook]'),
      { components },
    )
    expect(collector.status().pipelines.logs?.status).toBe('ok')
    const offer = intakes[0]?.offer([sampleRecord()])
    await expect.poll(() => collector.status().pipelines.logs?.status).toBe('recoverable_error')
    expect(collector.status().pipelines.logs?.components['exporter:webhook']?.message).toContain('503')
    sink.answer = undefined
    await offer
    await expect.poll(() => collector.status().pipelines.logs?.status).toBe('ok')
    await collector.stop()
    await sink.close()
  })

  test('a queue that is full shows, with the exporter, until it has had room', async () => {
    const sink = await httpDestination()
    sink.answer = () => 503
    const { components, intakes } = testComponents()
    const collector = await startCollector(
      SIMPLE.replace(
        'keep: }',
        `webhook: { endpoint: '${sink.url}', sending_queue: { queue_size: 2 }, retry_on_failure: { initial_interval: 20ms } } }`,
      ).replace('[keep]', '[webhook]'),
      { components },
    )
    const component = () => collector.status().pipelines.logs?.components['exporter:webhook']
    expect(component()?.status).toBe('ok')
    const offers = ['a', 'b'].map(id => intakes[0]?.offer([sampleRecord({ id })]))
    await expect.poll(component).toMatchObject({
      status: 'recoverable_error',
      message: expect.stringContaining(
        'The queue is full: its pipelines wait, and their sources. It takes 2 requests.',
      ),
    })
    expect(await intakes[0]?.offer([sampleRecord()])).toMatchObject({ busy: true, reason: 'pipeline_full' })
    expect(await collector.metric('otelcol_receiver_refused_log_records', 'reason="pipeline_full"')).toBe(1)
    expect(collector.logs).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: 'Input was refused for now: its source tries again.',
        attributes: { receiver: 'source', reason: 'pipeline_full', records: 1 },
      }),
    )
    sink.answer = undefined
    await Promise.all(offers)
    await collector.stop()
    await sink.close()
  })
})

test('a source that waits for room goes on as soon as there is some', async () => {
  const { components, intakes } = testComponents()
  const sends: (() => void)[] = []
  const slow = defineExporter({
    api: 1,
    type: 'slow',
    stability: 'development',
    description: 'Answers when told to.',
    schema: { type: 'object', additionalProperties: false, properties: {} },
    create: () => ({
      send: () =>
        new Promise(resolve => {
          sends.push(() => resolve('ok'))
        }),
    }),
  })
  // Time stands still: nothing is looked at again by a timer.
  const collector = await startCollector(
    `${SIMPLE.replace('keep: }', 'slow: { sending_queue: { queue_size: 1 } } }').replace('[keep]', '[slow]')}  extensions: [file_storage]
extensions: { file_storage: { directory: data } }
`,
    { components: [...components, slow], clock: new VirtualClock() },
  )
  // A durable queue settles at once, long before it has room.
  await intakes[0]?.offer([sampleRecord()])
  let ready = false
  const waiting = intakes[0]?.ready().then(() => {
    ready = true
  })
  await new Promise(resolve => setTimeout(resolve, 50))
  expect(ready).toBe(false)
  await expect.poll(() => sends.length).toBe(1)
  sends[0]?.()
  await waiting
  await collector.stop()
})

describe('a reload', () => {
  const webhook = (url: string, more = '') => `
receivers:
  file_log: { include: [in.log], start_at: beginning, poll_interval: 20ms${more} }
exporters:
  webhook: { endpoint: '${url}', body_template: '{{json body}}', retry_on_failure: { initial_interval: 20ms, max_interval: 50ms } }
extensions:
  file_storage: { directory: data }
service:
  extensions: [${more === '' ? '' : 'file_storage'}]
  pipelines:
    logs: { receivers: [file_log], exporters: [webhook] }
`

  test('keeps what waits in a queue in memory', async () => {
    const sink = await httpDestination()
    sink.answer = () => 503
    const { components, intakes } = testComponents()
    const yaml = SIMPLE.replace(
      'keep: }',
      `webhook: { endpoint: '${sink.url}', body_template: '{{json body}}' } }`,
    ).replace('[keep]', '[webhook]')
    const collector = await startCollector(yaml, { components, folder })
    const offers = ['a', 'b', 'c'].map(body => intakes[0]?.offer([sampleRecord({ body, id: body })]))
    await expect.poll(() => sink.requests.length).toBeGreaterThan(0)
    expect(await collector.reload(`${yaml}\n# changed\n`)).toBe(true)
    sink.answer = undefined
    expect((await sink.waitFor(3)).map(({ body }) => body)).toEqual(['"a"', '"b"', '"c"'])
    expect(await Promise.all(offers)).toMatchObject([
      { deadLettered: 0 },
      { deadLettered: 0 },
      { deadLettered: 0 },
    ])
    await collector.stop()
    await sink.close()
  })

  test('goes on in files where it was, with storage', async () => {
    const sink = await httpDestination()
    const yaml = webhook(sink.url, ', storage: file_storage')
    await writeFile(join(folder, 'in.log'), 'one\ntwo\n')
    const collector = await startCollector(yaml, { folder })
    await sink.waitFor(2)
    await appendFile(join(folder, 'in.log'), 'three\n')
    expect(await collector.reload(yaml.replace('20ms', '30ms'))).toBe(true)
    await appendFile(join(folder, 'in.log'), 'four\n')
    await sink.waitFor(4)
    await collector.stop()
    await sink.close()
    expect(sink.requests.map(({ body }) => JSON.parse(body))).toEqual(['one', 'two', 'three', 'four'])
  })

  test('is no new beginning for the closing report', async () => {
    const { components, intakes } = testComponents()
    const two = SIMPLE.replace('keep: }', 'keep: , keep/gone: }').replace('[keep]', '[keep, keep/gone]')
    const collector = await startCollector(two, { components, folder })
    await intakes[0]?.offer([sampleRecord(), sampleRecord()])
    expect(await collector.reload(SIMPLE)).toBe(true)
    await intakes.at(-1)?.offer([sampleRecord()])
    expect(await collector.stop()).toMatchObject({ delivered: 5, dropped: 0, unsettled: 0 })
  })

  test('changes nothing when the new configuration is invalid', async () => {
    const { components, intakes, events } = testComponents()
    const collector = await startCollector(SIMPLE, { components, folder })
    const before = events.length
    expect(await collector.reload(SIMPLE.replace('exporters: [keep]', 'exporters: [kep]'))).toBe(false)
    expect(events).toHaveLength(before)
    expect(collector.logs.at(-1)).toMatchObject({
      level: 'error',
      message: 'The new configuration is invalid; the old one stays in force.',
      attributes: { problems: expect.stringContaining('did you mean "keep"') },
    })
    expect(await intakes[0]?.offer([sampleRecord()])).toMatchObject({ deadLettered: 0 })
    await collector.stop()
  })

  test('goes back to the old graph when the new one does not start', async () => {
    const { components, intakes, kept } = testComponents()
    const collector = await startCollector(SIMPLE, { components, folder })
    expect(await collector.reload(SIMPLE.replace('step: }', 'step: { fails: true } }'))).toBe(false)
    expect(await intakes.at(-1)?.offer([sampleRecord({ body: 'after' })])).toMatchObject({ deadLettered: 0 })
    expect(kept).toEqual(['logs after logs'])
    expect(collector.status().pipelines.logs?.status).toBe('ok')
    await collector.stop()
  })

  test('keeps listening sockets: no probe is refused meanwhile', async () => {
    const { components } = testComponents()
    const yaml = `${SIMPLE}  extensions: [health_check]\n  telemetry: { metrics: { address: 127.0.0.1:0 } }\nextensions: { health_check: { endpoint: 127.0.0.1:18133 } }\n`
    const collector = await startCollector(yaml, { components, folder })
    const codes: number[] = []
    let going = true
    const probing = (async () => {
      while (going) codes.push((await fetch('http://127.0.0.1:18133/live')).status)
    })()
    for (let turn = 0; turn < 3; turn++) expect(await collector.reload(`${yaml}# ${turn}\n`)).toBe(true)
    going = false
    await probing
    expect(new Set(codes)).toEqual(new Set([200]))
    await collector.stop()
    await expect(fetch('http://127.0.0.1:18133/live')).rejects.toThrow()
  })
})

test('a start that fails leaves nothing running', async () => {
  const { components, events } = testComponents()
  await expect(
    startCollector(SIMPLE.replace('step: }', 'step: { fails: true } }'), { components }),
  ).rejects.toThrow('told not to start')
  expect(events).toEqual(['start keep', 'stop step', 'stop keep'])
})
