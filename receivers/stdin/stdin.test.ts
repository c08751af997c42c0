import { PassThrough, Readable } from 'node:stream'
import type { ComponentContext } from 'tocsin/component'
import {
  type CollectingIntake,
  collectingIntake,
  receiverConformance,
  testContext,
  VirtualClock,
} from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import type { StdinConfig } from './config.js'
import { stdinReceiver } from './index.js'
import { type Input, StdinReceiver } from './stdin.js'

const DEFAULTS: StdinConfig = { max_log_size: '1MiB', attributes: {}, resource: {} }

describe('conformance', () => {
  const checks = receiverConformance<StdinConfig & { readonly input?: Input }>({
    // The factory of the component, with a pipe in place of the process's own standard input.
    factory: {
      ...stdinReceiver,
      create: context => {
        const given = context as ComponentContext<StdinConfig & { readonly input: Input }>
        return new StdinReceiver(given, given.config.input)
      },
    },
    source: () => {
      const input = new PassThrough()
      let fed = 0
      return {
        config: { ...DEFAULTS, input },
        feed: count => {
          const lines = Array.from({ length: count }, () => `line ${++fed}.`)
          input.write(lines.map(line => `${line}\n`).join(''))
          return lines
        },
      }
    },
  })
  test.each(checks.map(check => [check.name, check] as const))('%s', (_name, check) => check.run())
})

test('lines come as records, and the end of input ends it', async () => {
  const { intake } = await started(Readable.from([Buffer.from('one\r\ntw'), Buffer.from('o\n\nlast')]))
  await expect.poll(() => intake.ended).toBe(true)
  expect(bodies(intake)).toEqual(['one', 'two', '', 'last'])
  expect(new Set(intake.records().map(record => record.id)).size).toBe(4)
})

test('bytes that are not UTF-8 are replaced', async () => {
  const { intake } = await started(Readable.from([Buffer.from([0x61, 0xff, 0x0a, 0x62, 0x0a])]))
  await expect.poll(() => intake.ended).toBe(true)
  expect(bodies(intake)).toEqual(['a\ufffd', 'b'])
})

test('NULs around lines are skipped, and said once', async () => {
  const holes = ['\0'.repeat(9), 'ERROR a\n\0\0', '\0', 'b\0\n', '\0'.repeat(70_000), 'last\0']
  const { intake, context } = await started(Readable.from(holes.map(text => Buffer.from(text))))
  await expect.poll(() => intake.ended).toBe(true)
  expect(bodies(intake)).toEqual(['ERROR a', 'b', 'last'])
  expect(context.logs.map(({ message }) => message)).toEqual([expect.stringContaining('NUL bytes')])
})

test('a line over the limit is split', async () => {
  const { intake } = await started(Readable.from([Buffer.from(`${'x'.repeat(250)}\nok\n`)]), {
    max_log_size: 100,
  })
  await expect.poll(() => intake.ended).toBe(true)
  expect(bodies(intake).map(body => body.length)).toEqual([100, 100, 50, 2])
})

test('reading pauses while too much is unsettled', async () => {
  let produced = 0
  const input = new Readable({
    read() {
      if (produced < 2_000) this.push(Buffer.from(`${produced++}\n`.padStart(16_384)))
      else this.push(null)
    },
  })
  const { intake, clock } = await started(input, {}, collectingIntake({ manual: true }))
  await expect.poll(() => intake.batches.length).toBe(64)
  await clock.advance(1_000)
  expect(intake.batches.length).toBe(64)
  expect(produced).toBeLessThan(200)
  await expect
    .poll(
      () => {
        for (const batch of intake.batches) batch.settle()
        return intake.ended
      },
      { interval: 1 },
    )
    .toBe(true)
  expect(intake.records().length).toBe(2_000)
  expect(intake.batches.every(batch => batch.released)).toBe(true)
})

test('a reload loses nothing: what was read and not offered is given back', async () => {
  const input = new PassThrough()
  const busy = collectingIntake()
  busy.setBusy({ busy: true, retryAfterMs: 100, reason: 'reload' })
  const first = await started(input, {}, busy)
  input.write('one\ntwo\nthr')
  await new Promise(resolve => setTimeout(resolve, 20))
  await first.receiver.stop()
  input.end('ee\n')
  const second = await started(input)
  await expect.poll(() => second.intake.ended).toBe(true)
  expect([...bodies(busy), ...bodies(second.intake)]).toEqual(['one', 'two', 'three'])
})

test('the watermark is the wall clock while nothing waits to be read', async () => {
  const input = new PassThrough()
  const { receiver, clock } = await started(input)
  await clock.advance(1_000)
  expect(receiver.watermark()).toBe(clock.now())
  await receiver.stop()
})

test('a broken input is a permanent error, not a crash', async () => {
  const input = new PassThrough()
  const { context, receiver } = await started(input)
  input.destroy(new Error('EIO'))
  await expect.poll(() => context.statuses.at(-1)).toEqual({ status: 'permanent_error', message: 'EIO' })
  await receiver.stop()
})

async function started(
  input: Input,
  config: Partial<StdinConfig> = {},
  intake: CollectingIntake = collectingIntake(),
) {
  const clock = new VirtualClock()
  const context = testContext({ config: { ...DEFAULTS, ...config }, clock })
  const receiver = new StdinReceiver(context, input)
  await receiver.start(intake)
  return { receiver, intake, clock, context }
}

function bodies(intake: CollectingIntake): string[] {
  return intake.records().map(record => String(record.body))
}
