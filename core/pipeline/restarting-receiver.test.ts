import { afterEach, expect, test } from 'vitest'
import { type Collector, startCollector } from '../../test/support/collector.js'
import { defineReceiver, type Intake } from '../component/index.js'
import { settleMicrotasks, VirtualClock } from '../testing/clock.js'
import { sampleRecord } from '../testing/records.js'

let collector: Collector | undefined
afterEach(async () => {
  await collector?.stop()
  collector = undefined
})

test('a receiver that fails for good is started again after 5 s, as often as it takes; the others go on', async () => {
  const clock = new VirtualClock()
  const made: { id: string; intake: Intake | undefined; fail: (reason: string) => void; closed: boolean }[] =
    []
  let starts = true
  const own = defineReceiver({
    api: 1,
    type: 'own',
    stability: 'beta',
    description: 'Of a third party.',
    schema: { type: 'object' },
    create: ({ id, reportStatus }) => {
      const one: (typeof made)[number] = {
        id,
        intake: undefined,
        fail: message => reportStatus({ status: 'fatal_error', message }),
        closed: false,
      }
      made.push(one)
      return {
        async start(intake) {
          if (!starts) throw new Error('not now')
          one.intake = intake
        },
        async stop() {},
        async close() {
          one.closed = true
        },
        watermark: () => undefined,
      }
    },
  })
  collector = await startCollector(
    `
receivers: {own/a: {}, own/b: {}}
exporters: {debug: {}}
service:
  pipelines:
    logs/a: {receivers: [own/a], exporters: [debug]}
    logs/b: {receivers: [own/b], exporters: [debug]}
`,
    { clock, components: [own as never] },
  )
  const ids = () => made.map(({ id }) => id)
  const breakdowns = (pipeline: string) =>
    collector?.metric('tocsin_pipeline_breakdowns_total', `pipeline="${pipeline}"`)
  made[0]?.fail('stream lost')
  expect(collector.status().pipelines['logs/a']).toMatchObject({
    status: 'recoverable_error',
    components: { 'receiver:own/a': { message: 'It broke down and starts again after 5 s: stream lost' } },
  })
  expect(collector.status().pipelines['logs/b']?.status).toBe('ok')
  starts = false
  await clock.advance(4_999)
  expect(ids()).toEqual(['own/a', 'own/b'])
  await clock.advance(1)
  expect(made[0]?.closed).toBe(true)
  expect(ids()).toEqual(['own/a', 'own/b', 'own/a'])
  expect(collector.status().pipelines['logs/a']?.status).toBe('recoverable_error')
  starts = true
  await clock.advance(5_000)
  expect(ids()).toEqual(['own/a', 'own/b', 'own/a', 'own/a'])
  expect(collector.status().pipelines['logs/a']?.status).toBe('ok')
  expect(await breakdowns('logs/a')).toBe(2)
  expect(await breakdowns('logs/b')).toBe(0)
  const settled = made[3]?.intake?.offer([sampleRecord({ body: 'again' })])
  await settleMicrotasks()
  expect(await settled).toMatchObject({ deadLettered: 0 })
  expect(collector.logs.map(({ message }) => message)).toContain(
    'A component broke down; it starts again after 5 s.',
  )
  // One that is gone has nothing to say any more.
  made[0]?.fail('late')
  expect(collector.status().pipelines['logs/a']?.status).toBe('ok')
})
