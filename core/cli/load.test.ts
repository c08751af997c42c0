import { expect, it } from 'vitest'
import { ConfigError, defineExporter, defineReceiver } from '../component/index.js'
import { load, loadAll } from './load.js'

const EXPORTER = defineExporter<object>({
  api: 1,
  type: 'x',
  stability: 'beta',
  description: 'Sends.',
  schema: {},
  notifying: true,
  check: () => [{ path: ['own'], message: 'own' }],
  create: () => ({ send: async () => 'ok' }),
})
const RECEIVER = defineReceiver<object>({
  api: 1,
  type: 'x',
  stability: 'beta',
  description: 'Reads.',
  schema: {},
  create: () => ({ start: async () => {}, stop: async () => {}, watermark: () => undefined }),
})

it('checks the keys of every exporter besides what its author checks', async () => {
  const config = `
receivers: {x: }
exporters: {x: {sending_queue: {num_consumers: 2}}}
service: {pipelines: {logs: {receivers: [x], exporters: [x]}}}
`
  const io = { env: {}, cwd: '/' } as Parameters<typeof load>[2]
  const distribution = { name: 'tocsin', version: '0', components: [EXPORTER, RECEIVER] } as unknown
  const loading = load(
    distribution as Parameters<typeof load>[0],
    { config: [`yaml:${config}`], set: [] },
    io,
  )
  const error = await loading.catch(error => error)
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as ConfigError).problems.map(({ path }) => path.slice(2))).toEqual([
    ['own'],
    ['sending_queue', 'num_consumers'],
  ])
})

// Node.js 20.20.2 to 26.12.1: what imports a CommonJS module that threw before ends the process
// (findings/node-import-after-failed-commonjs.sh).
it('loads nothing more after a component that cannot be loaded', async () => {
  const asked: string[] = []
  const lazy = (type: string, factory: () => Promise<typeof EXPORTER>) => ({
    kind: 'exporter' as const,
    type,
    load: () => {
      asked.push(type)
      return factory()
    },
  })
  const broken = lazy('broken', async () => Promise.reject(new Error('built for another Node.js')))
  const sources = [lazy('first', async () => EXPORTER), broken, lazy('last', async () => EXPORTER)]
  await expect(loadAll(sources)).rejects.toThrow('built for another Node.js')
  expect(asked).toEqual(['first', 'broken'])
})
