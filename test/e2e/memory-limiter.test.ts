import { defineProcessor, defineReceiver, type Intake } from 'tocsin/component'
import { sampleRecord, VirtualClock } from 'tocsin/testing'
import { expect, it } from 'vitest'
import type { MemoryLimiterConfig } from '../../processors/memory_limiter/config.js'
import { memoryLimiterProcessor } from '../../processors/memory_limiter/index.js'
import { createMemoryLimiter } from '../../processors/memory_limiter/memory-limiter.js'
import { startCollector } from '../support/collector.js'

const MIB = 2 ** 20

it('while the memory is short, receivers are answered busy, and woken when the memory is back', async () => {
  const memory = {
    live: 90 * MIB,
    totals: () => ({ available: 1_000 * MIB, heapLimit: 4_000 * MIB }),
    use: () => ({ used: memory.live, heap: memory.live }),
    collect: () => undefined,
  }
  const limited = defineProcessor<MemoryLimiterConfig>({
    ...(memoryLimiterProcessor as object as Parameters<typeof defineProcessor<MemoryLimiterConfig>>[0]),
    type: 'limited',
    create: context => createMemoryLimiter(context, memory),
  })
  let intake: Intake | undefined
  const pushed = defineReceiver({
    api: 1,
    type: 'pushed',
    stability: 'development',
    description: 'Hands its intake to the test.',
    schema: { type: 'object', additionalProperties: false, properties: {} },
    create: () => ({
      start: async given => {
        intake = given
      },
      stop: async () => undefined,
      watermark: () => undefined,
    }),
  })
  const clock = new VirtualClock()
  const collector = await startCollector(
    `
receivers: {pushed: {}}
processors: {limited: {limit_mib: 100}}
exporters: {debug: {verbosity: basic}}
service: {pipelines: {logs: {receivers: [pushed], processors: [limited], exporters: [debug]}}}
`,
    { components: [limited, pushed], clock },
  )
  const into = intake as Intake
  expect(await into.offer([sampleRecord()])).toMatchObject({ busy: true, reason: 'memory_limit' })
  expect(collector.status().status).toBe('recoverable_error')
  let ready = false
  void into.ready().then(() => {
    ready = true
  })
  await clock.advance(3_000)
  expect(ready).toBe(false)
  memory.live = 0
  await clock.advance(3_000)
  expect(ready).toBe(true)
  expect(await into.offer([sampleRecord()])).toMatchObject({ deadLettered: 0 })
  expect(collector.status().status).toBe('ok')
  expect(await collector.metric('otelcol_processor_refused_log_records')).toBe(1)
  expect(await collector.metric('otelcol_receiver_refused_log_records')).toBe(1)
  await collector.stop()
})
