import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { load, memoryEnvironment, problemsOf } from '../../test/fixtures/config-loading.js'
import { processEnvironment } from './environment.js'
import { printConfig } from './print.js'

const environment = memoryEnvironment({}, { TOKEN: 'abc123' })
const loaded = (yaml: string) => load([`yaml:${yaml}`], environment)

const YAML = `
x-common: &common { headers: { Authorization: 'Bearer \${TOKEN}' } }
receivers:
  file_log: { include: [a.log] }
processors:
  throttle/few: { count: 1 }
exporters:
  webhook/ops: { <<: *common, endpoint: 'http://ops' }
service:
  pipelines:
    logs/a:
      receivers: [file_log]
      processors: [{ throttle/few: { window: 5m } }, { throttle: { count: 9, window: 1h, key: 'a$\${b}' } }]
      exporters: [webhook/ops]
    logs/b:
      receivers: [{ file_log: { start_at: beginning } }]
      processors: [{ throttle/few: { window: 5m } }, { throttle/few: { window: 1h, count: 2 } }]
      exporters: [{ webhook/ops: { method: PUT } }]
    logs/c:
      receivers: [{ file_log: { start_at: beginning } }]
      exporters: [{ webhook/ops: { method: PUT } }]
`

it('components of pipelines have ids of their own, over the settings of their preset', async () => {
  const { config } = await loaded(YAML)
  const { pipelines } = config.service
  expect(pipelines['logs/a']).toMatchObject({ processors: ['throttle/few/a', 'throttle/a'] })
  expect(pipelines['logs/b']).toMatchObject({ processors: ['throttle/few/b', 'throttle/few/b.2'] })
  expect(config.processors['throttle/few/b.2']?.config).toMatchObject({ count: 2, window: '1h' })
  expect(config.processors['throttle/few/a']?.config).toMatchObject({ count: 1, window: '5m' })
  // Named nowhere by itself: only there to be built upon.
  expect(Object.keys(config.processors)).not.toContain('throttle/few')
  // Named by logs/a: a component and a preset.
  expect(config.exporters['webhook/ops']?.config).toMatchObject({ method: 'POST' })
})

it('receivers and exporters with the same settings are one, processors never', async () => {
  const { config } = await loaded(YAML)
  expect(config.service.pipelines['logs/c']).toMatchObject({
    receivers: ['file_log/b'],
    exporters: ['webhook/ops/b'],
  })
  expect(Object.keys(config.receivers).sort()).toEqual(['file_log', 'file_log/b'])
})

it('is printed as it was written, and what is printed means the same', async () => {
  const first = await loaded(YAML)
  const printed = printConfig(first)
  expect(printed).toContain('      receivers: [{file_log: {start_at: beginning}}]\n')
  expect(printed).toContain("        - throttle: {count: 9, window: 1h, key: 'a$${b}'}")
  expect(printed).toContain('Authorization: Bearer ${TOKEN}')
  expect(printed).not.toContain('abc123')
  const again = await loaded(printed)
  expect(again.config).toEqual(first.config)
})

it('mistakes are told where they were written', async () => {
  const problems = await problemsOf(loaded(YAML.replace('window: 1h, count: 2', 'window: 1h, cuont: 2')))
  expect(problems).toEqual([
    expect.stringMatching(
      /^--config\[1\]:17:\d+: service\.pipelines\.logs\/b\.processors\[1\]\.throttle\/few\.cuont: unknown key/,
    ),
  ])
  const two = YAML.replace('{ file_log: { start_at: beginning } }', '{ file_log: {}, demo_logs: {} }')
  expect((await problemsOf(loaded(two)))[0]).toContain(
    'an item of this list is an id, or one id with its settings',
  )
})

let folder: string | undefined
afterEach(async () => {
  if (folder) await rm(folder, { recursive: true })
  folder = undefined
})

it('a folder and a glob are read in the order of their names', async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-folder-'))
  await writeFile(join(folder, '10-base.yaml'), YAML)
  await writeFile(join(folder, '20-over.yml'), 'exporters: {webhook/ops: {endpoint: "http://over"}}')
  await writeFile(join(folder, '.hidden.yaml'), 'nope: 1')
  await writeFile(join(folder, 'notes.txt'), 'nope')
  const here = { ...processEnvironment(), cwd: folder, env: { TOKEN: 'x' } }
  for (const source of ['.', folder, '*.{yaml,yml}', join(folder, '[12]0*')]) {
    const { config, baseDir, files } = await load([source], here)
    expect(config.exporters['webhook/ops']?.config).toMatchObject({ endpoint: 'http://over' })
    expect([baseDir, files.length]).toEqual([folder, 2])
  }
  await rm(join(folder, '10-base.yaml'))
  await rm(join(folder, '20-over.yml'))
  expect((await problemsOf(load(['.'], here)))[0]).toContain('there is no *.yaml or *.yml here')
})
