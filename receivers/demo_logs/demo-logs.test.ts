import { collectingIntake, factoryConformance, testContext, VirtualClock } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import type { DemoLogsConfig } from './config.js'
import { demoLogsReceiver } from './index.js'
import { seeded } from './seeded.js'
import { openShop, type ShopEvent } from './shop.js'

describe('conformance', () => {
  test.each(factoryConformance(demoLogsReceiver as never).map(check => [check.name, check] as const))(
    '%s',
    (_name, check) => check.run(),
  )
})

test('the first outage comes within seconds and recovers, then another kind a minute later', async () => {
  const { intake, clock } = await started({ seed: 1 })
  await clock.advance(20_000)
  const bodies = () => intake.records().map(record => String(record.body))
  const first = times(intake.records(), /ERROR orders-db connection refused \(10\.0\.0\.12:5432\)/)
  const recovered = times(intake.records(), /INFO orders-db connection established/)
  expect(first[0]).toBeCloseTo(5, 0)
  expect(recovered[0]! - first[0]!).toBeGreaterThanOrEqual(8)
  expect(recovered[0]! - first[0]!).toBeLessThanOrEqual(12)
  expect(first.filter(at => at > recovered[0]!)).toEqual([])
  expect(bodies().join('\n')).not.toContain('payment gateway timeout')
  await clock.advance(60_000)
  expect(bodies().join('\n')).toContain('ERROR payment gateway timeout')
  expect(bodies().join('\n')).toContain('INFO payment gateway reachable again')
})

test('records have their service, host, severity and time, and come no earlier than they happen', async () => {
  const { intake, clock } = await started({ rate: 50 })
  await clock.advance(20_000)
  const records = intake.records()
  expect(new Set(records.map(record => record.get('resource.attributes["service.name"]'))).size).toBe(4)
  expect(new Set(records.map(record => record.get('resource.attributes["host.name"]'))).size).toBe(5)
  expect(new Set(records.map(record => record.severityText))).toEqual(
    new Set(['DEBUG', 'INFO', 'WARN', 'ERROR']),
  )
  expect(records.every(record => record.timestamp <= clock.now())).toBe(true)
  expect(new Set(records.map(record => record.id)).size).toBe(records.length)
  expect(
    intake.batches.every(({ records: batch }) => new Set(batch.map(one => one.resource)).size === 1),
  ).toBe(true)
  expect(records.length / 20).toBeGreaterThan(35)
  expect(records.length / 20).toBeLessThan(65)
})

test('a seed gives the same sequence', () => {
  const take = (seed: number) => {
    const shop = openShop({ random: seeded(seed), rate: 10, intervalMs: 60_000 })
    return Array.from({ length: 500 }, () => shop.next().value as ShopEvent)
  }
  expect(take(7)).toEqual(take(7))
  expect(take(7)).not.toEqual(take(8))
})

test('the shop writes in order of time', () => {
  const shop = openShop({ random: seeded(3), rate: 100, intervalMs: 20_000 })
  let last = 0
  for (let index = 0; index < 20_000; index++) {
    const { atMs } = shop.next().value as ShopEvent
    expect(atMs).toBeGreaterThanOrEqual(last)
    last = atMs
  }
})

test('count ends the input after exactly so many records', async () => {
  const { intake, clock } = await started({ count: 1_234, rate: 1_000 })
  await clock.advance(5_000)
  expect(intake.records().length).toBe(1_234)
  expect(intake.ended).toBe(true)
})

test('a busy pipeline gets everything later, and in bounds', async () => {
  const intake = collectingIntake({ manual: true })
  const { clock, receiver } = await started({ rate: 1_000, seed: 5 }, intake)
  await clock.advance(10_000)
  expect(intake.batches.length).toBe(16)
  for (let turn = 0; turn < 1_000 && intake.records().length < 9_000; turn++) {
    for (const batch of intake.batches) batch.settle()
    await clock.advance(10)
  }
  expect(intake.records().length).toBeGreaterThan(9_000)
  await receiver.stop()
  expect(clock.pending).toBe(0)
})

test('an interval shorter than an outage is a mistake', () => {
  expect(demoLogsReceiver.check?.({ interval: '10s', rate: 1 } as never)?.[0]?.path).toEqual(['interval'])
  expect(demoLogsReceiver.check?.({ interval: '20s', rate: 1 } as never)).toEqual([])
})

function times(records: readonly { body: unknown; time: bigint }[], pattern: RegExp): number[] {
  const start = Date.parse('2026-01-15T10:00:00Z') / 1000
  return records
    .filter(record => pattern.test(String(record.body)))
    .map(record => Number(record.time / 1_000_000n) / 1000 - start)
}

async function started(config: Partial<DemoLogsConfig>, intake = collectingIntake()) {
  const clock = new VirtualClock()
  const full = { rate: 4, interval: '1m', ...config }
  const context = testContext({ config: full, clock })
  const receiver = demoLogsReceiver.create(context)
  await receiver.start(intake)
  return { receiver, intake, clock }
}
