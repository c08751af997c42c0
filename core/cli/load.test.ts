import { expect, it } from 'vitest'
import { ConfigError, defineExporter, defineReceiver } from '../component/index.js'
import { load } from './load.js'

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
