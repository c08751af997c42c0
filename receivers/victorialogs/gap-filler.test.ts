import { collectingLogger, type LogEntry, VirtualClock } from 'tocsin/testing'
import { expect, it } from 'vitest'
import { Progress } from './gap-filler.js'

it('says every ten seconds how far a long reading has come, measures it always, and sums up', async () => {
  const clock = new VirtualClock()
  const logs: LogEntry[] = []
  const remaining: number[] = []
  const from = clock.now()
  const seconds = (count: number) => from + BigInt(count) * 1_000_000_000n
  const progress = new Progress({
    logger: collectingLogger(logs),
    clock,
    from,
    to: seconds(100),
    remaining: value => remaining.push(value),
  })
  progress.read(5, seconds(10))
  await clock.advance(10_000)
  progress.read(5, undefined)
  progress.read(5, seconds(40))
  await clock.advance(9_999)
  progress.read(5, seconds(70))
  await clock.advance(10_000)
  progress.read(5, seconds(100))
  progress.done()
  expect(remaining).toEqual([100, 90, 60, 30, 0])
  expect(logs.map(({ message, attributes }) => [message, attributes])).toEqual([
    ['A gap is being filled.', { read_to: '2026-01-15T10:00:40Z', remaining_s: 60, log_records: 15 }],
    ['A gap was filled.', { from: '2026-01-15T10:00:00Z', to: '2026-01-15T10:01:40Z', log_records: 25 }],
  ])
})
