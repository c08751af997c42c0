import fc from 'fast-check'
import { createRecord, type Decided, isMap } from 'tocsin/component'
import { expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import type { Outcome, Status } from './outcome.js'
import { enrich } from './output.js'
import { RecentDecisions } from './recent-decisions.js'

const row = { severity: 'Critical', message: 'Database down', pattern: 'refused' }

function outcomeOf(status: Status, key: string, episode: number, number = 1): Outcome {
  return {
    status,
    key,
    row,
    ...(status !== 'recovery_duplicate' && { eventId: `${key}${episode}` }),
    ...(status === 'alert_duplicate' && { duplicates: number }),
    ...(status.endsWith('accumulating') && { count: number }),
  }
}

/** Status, episode, line and how many; of the newest when it came and which it was of its kind. */
type Told = readonly [status: string, event: string, line: string, count: number, at: bigint, number: string]

function toldBy({ record, count, at }: Decided): { readonly key: string; readonly told: Told } {
  const { alert } = record.attributes
  if (!isMap(alert)) throw new Error('No alert.')
  const number = alert.duplicate_count ?? alert.accumulating_count ?? ''
  const told: Told = [
    `${alert.status}`,
    `${alert.event_id ?? ''}`,
    `${record.body} ${record.time}`,
    count,
    at,
    `${number}`,
  ]
  return { key: `${alert.alert_key}`, told }
}

/** What happened to one key, with what was told of it. */
class Key {
  readonly happened: Told[] = []
  readonly told: Told[] = []

  /** Both as if each had been told at once: what is alike and follows on itself is one. */
  get both(): readonly [readonly Told[], readonly Told[]] {
    return [joined(this.happened), joined(this.told)]
  }
}

function joined(all: readonly Told[]): readonly Told[] {
  const found: Told[] = []
  for (const one of all) {
    const last = found.at(-1)
    const isNew = one[0] === 'alert' || one[0] === 'recovery'
    if (!isNew && last?.[0] === one[0] && last[1] === one[1])
      found[found.length - 1] = [one[0], one[1], one[2], last[3] + one[3], one[4], one[5]]
    else found.push(one)
  }
  return found
}

const status = fc.constantFrom<Status>(
  'alert',
  'recovery',
  'alert_duplicate',
  'alert_duplicate',
  'alert_accumulating',
  'recovery_accumulating',
  'recovery_duplicate',
)
const outcome = fc.tuple(status, fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(1))
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.uniqueArray(outcome, { minLength: 1, maxLength: 3, selector: ([, key]) => key }),
  },
  { weight: 1, arbitrary: fc.constantFrom('news' as const, 'repeats' as const) },
)

test('all that was decided is told, of each key in order, repeats as one with the newest line', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(2, 100), (steps, limit) => {
      const recent = new RecentDecisions(limit)
      const decisions = recent.watch()
      const keys = new Map(['a', 'b', 'c', 'd'].map(key => [key, new Key()]))
      const take = (decided: readonly Decided[]): void => {
        for (const { key, told } of decided.map(toldBy)) keys.get(key)?.told.push(told)
      }
      for (const [at, one] of steps.entries()) {
        if (one === 'news') take(decisions.news())
        else if (one === 'repeats') {
          take(decisions.news())
          take(decisions.repeats())
        } else {
          const outcomes = one.map(([status, key, episode]) => outcomeOf(status, key, episode, at))
          const record = createRecord({ id: `${at}`, timestamp: BigInt(at), body: `line ${at}` })
          recent.begin(BigInt(at) * 1_000n)
          recent.note(outcomes, enrich(record, outcomes), record)
          for (const { status, key, eventId = '', duplicates, count } of outcomes)
            keys
              .get(key)
              ?.happened.push([
                status,
                eventId,
                `line ${at} ${at}`,
                1,
                BigInt(at) * 1_000n,
                `${duplicates ?? count ?? ''}`,
              ])
        }
      }
      take(decisions.news())
      take(decisions.repeats())
      for (const key of keys.values()) expect(key.both[1]).toEqual(key.both[0])
      expect([decisions.news(), decisions.repeats()]).toEqual([[], []])
    }),
    runs(200),
  )
})

test('while nobody watches nothing is kept', () => {
  const recent = new RecentDecisions(10)
  const record = createRecord({ id: '1', body: 'line' })
  const outcomes = [outcomeOf('alert_duplicate', 'a', 1)]
  recent.note(outcomes, enrich(record, outcomes), record)
  const decisions = recent.watch()
  expect([decisions.news(), decisions.repeats()]).toEqual([[], []])
  expect([...recent.bySeverity()]).toEqual([['critical', 1]])
})

test('of what leads to an alert the first is told too', () => {
  const recent = new RecentDecisions(10)
  const decisions = recent.watch()
  for (const body of ['one', 'two', 'three']) {
    const record = createRecord({ id: body, body })
    const outcomes = [outcomeOf('alert_accumulating', 'a', 1)]
    recent.note(outcomes, enrich(record, outcomes), record)
  }
  expect(decisions.repeats()).toMatchObject([
    { record: { body: 'three' }, count: 3, first: { record: { body: 'one' } } },
  ])
})
