import { expect, test } from 'vitest'
import { createCollector } from './collector.js'
import { defineExporter, defineReceiver } from './component/index.js'
import { collectingLogger } from './testing/index.js'

const ABOUT = {
  api: 1,
  type: 'test',
  stability: 'alpha',
  description: 'A test.',
  schema: { type: 'object' },
} as const
const OPTIONS = {
  config:
    'yaml:{receivers: {test: }, exporters: {test: }, service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [test], exporters: [test]}}}}',
  logger: { ...collectingLogger([]), child: () => collectingLogger([]) },
}

/** How many of its receivers run at a time. */
function collector(set: readonly string[] = []) {
  const counts = { running: 0 }
  const components = [
    defineReceiver({
      ...ABOUT,
      create: () => ({
        start: async () => void counts.running++,
        stop: async () => void counts.running--,
        watermark: () => 0n,
      }),
    }),
    defineExporter({ ...ABOUT, create: () => ({ send: async () => 'ok' }) }),
  ]
  return { counts, made: createCollector({ ...OPTIONS, components, set }) }
}

test('a collector is started once, and stopped as often as one likes', async () => {
  const { counts, made } = collector()
  await made.start()
  await expect(made.start()).rejects.toThrow('A collector is started once')
  expect(counts.running).toBe(1)
  await made.stop()
  await made.stop()
  await expect(made.start()).rejects.toThrow('A collector is started once')
  expect(counts.running).toBe(0)
})

test('one that could not start may be started again', async () => {
  const { made } = collector(['nonsense=1'])
  for (let time = 0; time < 2; time++) await expect(made.start()).rejects.toThrow('nonsense')
})

test.each([
  [
    undefined,
    "createCollector({ config }): a source such as 'tocsin.yaml' or 'yaml:...', or a list of them, and not undefined",
  ],
  [{ config: { receivers: {} }, components: [] }, 'and not { receivers: {} }'],
  [
    { config: 'a.yaml' },
    'createCollector({ components }): a list of factories, such as that of tocsin/components, and not undefined',
  ],
  [
    { config: 'a.yaml', components: [], logger: console.log },
    'createCollector({ logger }): an object with debug, info, warn, error and child',
  ],
])('options that are none: %j', (options, message) => {
  expect(() => Reflect.apply(createCollector, undefined, [options])).toThrow(message)
})
