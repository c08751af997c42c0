import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCollector } from 'tocsin'
import { components } from 'tocsin/components'
import { describe, expect, it } from 'vitest'
import { ConfigError, defineExporter } from '../component/index.js'
import { httpDestination } from './http-destination.js'
import { sampleRecord } from './records.js'
import { runPipeline } from './run-pipeline.js'

const PIPELINE = (processors: string, exporters = 'test') =>
  `{receivers: [test], processors: [${processors}], exporters: [${exporters}]}`

describe('runPipeline', () => {
  it('takes records through real components, in order', async () => {
    const { exported, report } = await runPipeline(
      `
receivers: {test: }
processors: {filter: {logs: {log_record: ['body == "b"']}}}
exporters: {test: }
service: {pipelines: {logs: ${PIPELINE('filter')}}}`,
      { components, records: ['a', 'b', 'c'].map(body => sampleRecord({ id: body, body })) },
    )
    expect(exported.test?.map(({ body }) => body)).toEqual(['a', 'c'])
    expect(report).toMatchObject({ delivered: 2, unsettled: 0 })
  })

  it('moves time for timers and retries, and for real destinations', async () => {
    const http = await httpDestination()
    http.answer = (_, index) => (index < 2 ? 503 : 200)
    const { report } = await runPipeline(
      `
receivers: {test: }
exporters: {webhook: {endpoint: '${http.url}'}}
service: {pipelines: {logs: ${PIPELINE('', 'webhook')}}}`,
      { components, records: [sampleRecord()] },
    )
    expect([http.requests.length, report.delivered]).toEqual([3, 1])
    await http.close()
  })

  it('runs several inputs and outputs by their ids', async () => {
    const { exported } = await runPipeline(
      `
receivers: {test/a: , test/b: }
exporters: {test/x: , test/y: }
service:
  pipelines:
    logs/1: {receivers: [test/a], exporters: [test/x]}
    logs/2: {receivers: [test/a, test/b], exporters: [test/y]}`,
      { records: { 'test/a': [sampleRecord({ id: 'a' })], 'test/b': [sampleRecord({ id: 'b' })] } },
    )
    expect(exported['test/x']?.map(({ id }) => id)).toEqual(['a'])
    expect(exported['test/y']?.map(({ id }) => id).sort()).toEqual(['a', 'b'])
  })

  it('says what is wrong with a configuration, and what a component did', async () => {
    await expect(runPipeline('receivers: {tset: }')).rejects.toBeInstanceOf(ConfigError)
    const broken = defineExporter({
      api: 1,
      type: 'broken',
      stability: 'alpha',
      description: 'Cannot take anything at all.',
      schema: { type: 'object', additionalProperties: false },
      create: () => ({ send: async () => ({ refused: [0], reason: 'never' }) }),
    })
    const { report } = await runPipeline(
      `
receivers: {test: }
exporters: {broken: }
service: {pipelines: {logs: ${PIPELINE('', 'broken')}}}`,
      { components: [broken], records: [sampleRecord()] },
    )
    expect(report).toMatchObject({ delivered: 0, dropped: 1 })
  })
})

describe('createCollector', () => {
  it('starts, reloads, tells its status and stops', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-embedded-'))
    const config = join(folder, 'c.yaml')
    const yaml = (file: string) => `
receivers: {file_log: {include: [${file}], start_at: beginning, stop_at_end: true}}
exporters: {file: {path: out.jsonl}}
service:
  telemetry: {metrics: {level: none}, logs: {level: error}}
  pipelines: {logs: {receivers: [file_log], exporters: [file]}}`
    await writeFile(join(folder, 'in.log'), 'one\ntwo\n')
    await writeFile(config, yaml('in.log'))
    const collector = createCollector({ config, components })
    await collector.start()
    expect(collector.status().status).toBe('ok')
    await collector.ended
    await writeFile(config, 'receivers: nonsense')
    expect(await collector.reload()).toBe(false)
    await writeFile(config, yaml('in.log'))
    expect(await collector.reload()).toBe(true)
    expect(await collector.stop()).toMatchObject({ unsettled: 0 })
    await rm(folder, { recursive: true })
  })
})
