import { sampleRecord, seededRandom, VirtualClock } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { pointOf } from './tap-server.js'
import { type TapRequest, Taps } from './taps.js'

function looking(request: Partial<TapRequest> = {}) {
  const clock = new VirtualClock('2026-01-15T10:00:00Z')
  const taps = new Taps(clock, seededRandom(1))
  const seen: unknown[] = []
  const skipped: unknown[] = []
  const stop = taps.open(
    'logs',
    { sample: 1, rate: 100, ...request },
    { record: ({ body }) => seen.push(body), skipped: count => skipped.push(count) },
  )
  return { clock, taps, seen, skipped, stop }
}

const bodies = (count: number) => Array.from({ length: count }, (_, at) => sampleRecord({ body: `${at}` }))

test('shows what is at its point, until it is stopped', () => {
  const { taps, seen, stop } = looking()
  taps.look('logs', bodies(2))
  taps.look('receiver/otlp', bodies(2))
  expect(seen).toEqual(['0', '1'])
  stop()
  taps.look('logs', bodies(2))
  expect(seen).toHaveLength(2)
})

test('shows at most so many a second, and says how many it left out', async () => {
  const { clock, taps, seen, skipped } = looking({ rate: 3 })
  taps.look('logs', bodies(5))
  taps.look('logs', bodies(5))
  expect(seen).toHaveLength(3)
  await clock.advance(1_000)
  expect(skipped).toEqual([{ rate: 7, failed: 0 }])
  taps.look('logs', bodies(5))
  expect(seen).toHaveLength(6)
})

test('shows what the condition is true of; where it fails nothing is shown, and that is said', async () => {
  const condition = ({ body }: { readonly body: unknown }): boolean => {
    if (body === '1') throw new Error('no')
    return body === '2'
  }
  const { clock, taps, seen, skipped } = looking({ condition })
  taps.look('logs', bodies(4))
  expect(seen).toEqual(['2'])
  await clock.advance(1_000)
  expect(skipped).toEqual([{ rate: 0, failed: 1 }])
})

test('shows a share of them', () => {
  const { taps, seen } = looking({ sample: 0.1, rate: 10_000 })
  taps.look('logs', bodies(5_000))
  expect(seen.length).toBeGreaterThan(400)
  expect(seen.length).toBeLessThan(600)
})

test('a point is named in full, or by the one id that it has', () => {
  const points = ['receiver/otlp', 'processor/filter/x', 'logs', 'exporter/otlp', 'exporter/webhook']
  expect(['logs', 'webhook', 'filter/x', 'receiver/otlp'].map(word => pointOf(word, points))).toEqual([
    'logs',
    'exporter/webhook',
    'processor/filter/x',
    'receiver/otlp',
  ])
  expect(() => pointOf('otlp', points)).toThrow('"otlp" is more than one (receiver/otlp, exporter/otlp)')
  expect(() => pointOf('x', points)).toThrow('There are: receiver/otlp')
})
