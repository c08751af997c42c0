import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { dump, load as parseYaml } from 'js-yaml'
import { createRecord, fromJson, type Json, type LogRecord, type Processor } from 'tocsin/component'
import { testContext } from 'tocsin/testing'
import { describe, expect, it, test } from 'vitest'
import { processIo } from '../../core/cli/io.js'
import { load } from '../../core/cli/load.js'
import { ConfigError, formatProblem, type Problem } from '../../core/index.js'
import { full } from '../../distributions/full/index.js'

// Configurations after the shapes of public ones of the Collector, cut to their logs pipelines.
const folder = fileURLToPath(new URL('.', import.meta.url))
const files = readdirSync(folder)
  .filter(name => name.endsWith('.yaml'))
  .sort()

const env = { API_TOKEN: 't', API_KEY: 'hunter2', TOKEN: 't', LOG_USER: 'u', LOG_PASSWORD: 'sesame' }
const io = { ...processIo(), cwd: folder, env }
type Settings = Awaited<ReturnType<typeof load>>['settings']

async function answer(config: string): Promise<{ settings?: Settings; problems: readonly Problem[] }> {
  try {
    const { settings } = await load(full, { config: [config], set: [] }, io)
    return { settings, problems: settings.warnings }
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems }
    throw error
  }
}

interface Tree {
  [key: string]: Tree
}

/** The configuration with the lines of the answer put where the answer says. */
function pasted(file: string, problem: Problem): Tree {
  const config = parseYaml(readFileSync(`${folder}${file}`, 'utf8')) as unknown as Tree
  const lines = (parseYaml(problem.paste as string) ?? {}) as unknown as Tree
  const [section, id, key] = problem.path as [string, string, string]
  const component = config[section]?.[id] as Tree
  delete component[key]
  const { processors, ...own } = lines
  Object.assign(component, own)
  if (processors) {
    const names = /^# processors: \[(.*)\]$/m.exec(problem.paste as string)?.[1]?.split(', ') ?? []
    config.processors = { ...config.processors, ...processors }
    const pipeline = config.service?.pipelines?.logs as unknown as { processors?: string[] }
    pipeline.processors = [...names, ...(pipeline.processors ?? [])]
  }
  return config
}

describe('configurations of the Collector', () => {
  it('are valid as they are, or get an answer with the lines to paste: at least 55 of 60', async () => {
    const counts = { valid: 0, lines: 0, neither: [] as string[] }
    const shown: string[] = []
    for (const file of files) {
      const { settings, problems } = await answer(file)
      if (settings) counts.valid++
      else if (problems.every(problem => problem.paste !== undefined)) counts.lines++
      else counts.neither.push(file)
      shown.push(`${file}: ${settings ? 'valid' : 'invalid'}`, ...problems.map(formatProblem))
    }
    expect(shown.join('\n')).toMatchSnapshot()
    expect(files.length).toBe(60)
    expect(counts.valid).toBeGreaterThanOrEqual(38)
    expect(counts.valid + counts.lines, counts.neither.join(', ')).toBeGreaterThanOrEqual(55)
  })

  it('are valid with the lines pasted', async () => {
    for (const file of files) {
      const { settings, problems } = await answer(file)
      const [problem] = problems
      if (settings || !problem?.paste) continue
      const { settings: now, problems: left } = await answer(`yaml:${dump(pasted(file, problem))}`)
      expect(now, `${file}: ${left.map(formatProblem).join('\n')}`).toBeDefined()
    }
  })
})

/** The records as the pasted processors leave them. */
async function processed(file: string, records: readonly LogRecord[]): Promise<readonly LogRecord[]> {
  const { problems } = await answer(file)
  const { settings } = await answer(`yaml:${dump(pasted(file, problems[0] as Problem))}`)
  const { pipelines, processors } = (settings as Settings).graph
  let left: readonly LogRecord[] = records
  for (const id of pipelines.get('logs')?.processors ?? []) {
    if (id === 'batch') continue
    const plan = processors.get(id)!
    const context = testContext({ config: plan.config, id })
    const processor = plan.factory.create(context as never) as Extract<Processor, { process: unknown }>
    left = [...(await processor.process(left as never))]
    await context.close()
  }
  return left
}

function lines(...bodies: (string | [string, { [key: string]: Json }])[]): LogRecord[] {
  return bodies.map((each, index) => {
    const [body, attributes] = typeof each === 'string' ? [each, {}] : each
    return createRecord({ id: String(index), body, attributes: fromJson(attributes) as never })
  })
}

const seen = (record: LogRecord | undefined) =>
  record && {
    body: record.body,
    attributes: { ...record.attributes },
    ...(Object.keys(record.resource.attributes).length > 0 && {
      resource: { ...record.resource.attributes },
    }),
    ...(record.timestamp !== 0n && { time: new Date(Number(record.timestamp / 1_000_000n)).toISOString() }),
    ...(record.severityNumber !== 0 && { severity: [record.severityNumber, record.severityText] }),
  }

describe('what the pasted lines do', () => {
  test.each<[string, string | [string, { [key: string]: Json }], object | undefined]>([
    [
      'operators-json.yaml',
      '{"time":"2026-01-02T03:04:05.600Z","level":"Error","n":1}',
      {
        body: '{"time":"2026-01-02T03:04:05.600Z","level":"Error","n":1}',
        attributes: { time: '2026-01-02T03:04:05.600Z', level: 'Error', n: 1n },
        time: '2026-01-02T03:04:05.600Z',
        severity: [17, 'Error'],
      },
    ],
    ['operators-json.yaml', 'no json', { body: 'no json', attributes: {} }],
    [
      'operators-regex-severity.yaml',
      '2026-07-02 03:04:05 SEVERE it broke',
      {
        body: '2026-07-02 03:04:05 SEVERE it broke',
        attributes: { time: '2026-07-02 03:04:05', sev: 'SEVERE', msg: 'it broke' },
        time: '2026-07-02T01:04:05.000Z',
        severity: [17, 'SEVERE'],
      },
    ],
    ['operators-filter-level.yaml', '{"level":"debug"}', undefined],
    [
      'operators-filter-level.yaml',
      '{"level":"info"}',
      { body: '{"level":"info"}', attributes: { level: 'info' } },
    ],
    ['operators-filter-health.yaml', 'GET /health ERROR', undefined],
    ['operators-filter-health.yaml', 'GET /x ERROR', { body: 'GET /x ERROR', attributes: {} }],
    ['operators-filter-health.yaml', 'GET /x', undefined],
    ['operators-filter-several.yaml', ['x', { 'log.file.name': 'debug.log' }], undefined],
    [
      'operators-filter-several.yaml',
      ['FATAL', { 'log.file.name': 'debug.log', size: 1 }],
      { body: 'FATAL', attributes: { 'log.file.name': 'debug.log', size: 1n } },
    ],
    ['operators-filter-several.yaml', ['x', { 'log.file.name': 'a', size: 1000 }], undefined],
    [
      'operators-router-formats.yaml',
      [
        '2026-01-02T03:04:05.123456789+00:00 stdout F hello',
        { 'log.file.path': '/var/log/pods/shop_web-1_0a1b2c3d-0000-0000-0000-000000000000/app/3.log' },
      ],
      {
        body: 'hello',
        attributes: {
          'log.file.path': '/var/log/pods/shop_web-1_0a1b2c3d-0000-0000-0000-000000000000/app/3.log',
          stream: 'stdout',
          logtag: 'F',
          namespace: 'shop',
          uid: '0a1b2c3d-0000-0000-0000-000000000000',
          container_name: 'app',
          restart_count: '3',
        },
        resource: { 'k8s.pod.name': 'web-1' },
        time: '2026-01-02T03:04:05.123Z',
      },
    ],
    [
      'operators-move-retain.yaml',
      '{"message":"m","user":{"id":"7"},"x":1}',
      { body: { user: { id: '7' }, x: 1 }, attributes: { message: 'm', 'user.id': '7' } },
    ],
    [
      'operators-flatten-remove.yaml',
      '{"kubernetes":{"pod":"a"},"password":"p","x":"y"}',
      { body: '{"kubernetes":{"pod":"a"},"password":"p","x":"y"}', attributes: { x: 'y', pod: 'a' } },
    ],
    [
      'operators-add-resource.yaml',
      ['x', { 'log.file.name': 'a.log' }],
      {
        body: 'x',
        attributes: { 'log.file.name': 'a.log', source: 'a.log', tags: ['a', 'b'] },
        resource: { 'service.name': 'shop' },
      },
    ],
    [
      'operators-key-values.yaml',
      'a=b format=csv row=1,2,3 ts=1767323045600',
      {
        body: 'a=b format=csv row=1,2,3 ts=1767323045600',
        attributes: { a: '1', b: '2', c: '3', format: 'csv', row: '1,2,3', ts: '1767323045600' },
        time: '2026-01-02T03:04:05.600Z',
      },
    ],
  ])('%s on %j', async (file, line, expected) => {
    expect(seen((await processed(file, lines(line)))[0])).toEqual(expected)
  })

  test('ids of traces', async () => {
    const body = '{"trace_id":"0102030405060708090a0b0c0d0e0f10","span_id":"0102030405060708"}'
    const [record] = await processed('operators-trace-ids.yaml', lines(body))
    expect([record?.traceId, record?.spanId]).toEqual([
      '0102030405060708090a0b0c0d0e0f10',
      '0102030405060708',
    ])
  })
})

test('lines to paste show no secret', async () => {
  const { problems } = await answer(
    `yaml:${dump({
      receivers: {
        filelog: {
          include: ['/x'],
          operators: [
            { type: 'add', field: 'attributes.key', value: '${env:API_KEY}' },
            { type: 'add', field: 'attributes.password', value: `it's "${'${env:LOG_PASSWORD}'}"` },
          ],
        },
      },
      exporters: { debug: {} },
      service: { pipelines: { logs: { receivers: ['filelog'], exporters: ['debug'] } } },
    })}`,
  )
  expect(problems[0]?.paste).toContain('***')
  expect(problems.map(formatProblem).join()).not.toMatch(/hunter2|sesame/)
})
