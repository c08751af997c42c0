import { createNoopMeter } from '@opentelemetry/api'
import { expect, it } from 'vitest'
import { Gate } from '../delivery/index.js'
import { VirtualClock } from '../testing/clock.js'
import { sampleRecord } from '../testing/records.js'
import { ReceiverIntake } from './intake.js'
import { PIPELINE_FULL } from './pipeline.js'

const wanted = sampleRecord({ severityNumber: 17 })
const other = sampleRecord({ severityNumber: 9 })

function intakeOf({ busy = false, looks = false } = {}) {
  const counts: Record<string, number> = {}
  const counter = (name: string) => ({
    add(value: number) {
      counts[name] = (counts[name] ?? 0) + value
    },
  })
  const intake = new ReceiverIntake({
    receiver: 'test',
    asked: [{ busy: () => (busy ? PIPELINE_FULL : undefined) }],
    inlets: [{ way: { next: batch => batch.settle(), complete: () => {} } }],
    sieves: [{ steps: [], wants: [({ severityNumber }) => severityNumber > 16] }],
    looks: () => looks,
    clock: new VirtualClock(),
    metrics: {
      accepted: counter('accepted'),
      refused: counter('refused'),
      discarded: createNoopMeter().createCounter('discarded'),
    } as never,
    onRefused: records => counter('told').add(records),
    gate: new Gate(),
    onEnd: () => {},
  })
  /** What is left of a request, and what it is answered. */
  const request = async (...records: (typeof wanted)[]) => {
    const sieve = intake.sift()
    if (!sieve) return 'unsifted'
    const batch: (typeof wanted)[] = []
    const free = records.map(record => sieve.sift(record, batch) === record)
    sieve.end(batch)
    const { busy } = await sieve.offerAll([batch], 'http')
    return { batch, free, busy: busy ?? false }
  }
  return { counts, request }
}

it('counts what it keeps back when the others are taken, and settles a request of nothing else', async () => {
  const { counts, request } = intakeOf()
  const mixed = { batch: [wanted], free: [true, false, true], busy: false }
  expect(await request(other, wanted, other)).toEqual(mixed)
  expect(await request(other)).toEqual({ batch: [], free: [true], busy: false })
  expect(counts).toEqual({ accepted: 4 })
})

it('refuses what it keeps back with the others, also where there are no others', async () => {
  const { counts, request } = intakeOf({ busy: true })
  expect(await request(other, wanted)).toMatchObject({ busy: true })
  expect(await request(other)).toMatchObject({ busy: true })
  expect(counts).toEqual({ accepted: 0, refused: 3, told: 3 })
})

it('sifts nothing while somebody looks on, and for a while when most records were wanted', async () => {
  expect(await intakeOf({ looks: true }).request(other)).toBe('unsifted')
  const { request } = intakeOf()
  expect(await request(wanted)).toMatchObject({ batch: [wanted] })
  for (let count = 0; count < 63; count++) expect(await request(other)).toBe('unsifted')
  expect(await request(other)).toMatchObject({ batch: [] })
})
