import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import type { AlertSchema } from './alert-schema.js'
import { type Rules, type Sighting, stepAlert } from './machine.js'
import { mergeStates } from './merge.js'
import { outcomeCodec } from './outcome.js'
import type { Rule } from './rule.js'
import { type AlertState, stateCodec } from './state.js'

const KEY = '0123456789abcdef-0123456789abcdef01234567'

interface Event {
  readonly kind: 'alert' | 'recovery'
  readonly gap: bigint
}

const events = fc.array(
  fc.record<Event>({
    kind: fc.constantFrom('alert', 'alert', 'recovery'),
    gap: fc.bigInt({ min: 0n, max: 12n }),
  }),
  { maxLength: 80 },
)

const schemas = fc.record<AlertSchema>({
  mode: fc.constant('threshold'),
  count: fc.integer({ min: 1, max: 4 }),
  windowNs: fc.bigInt({ min: 1n, max: 20n }),
  recoveryCount: fc.integer({ min: 1, max: 3 }),
  recoveryWindowNs: fc.bigInt({ min: 1n, max: 20n }),
  expireNs: fc.constantFrom(0n, 15n, 40n),
})

test('decides as a plain model that keeps the whole history', () => {
  fc.assert(
    fc.property(schemas, events, (schema, given) => {
      const rules = rulesOf(schema)
      const model = new Model(schema)
      let state: AlertState | undefined
      let due: bigint | undefined
      let time = 1_000n
      for (const [index, { kind, gap }] of given.entries()) {
        time += gap
        const decided: string[] = []
        while (due !== undefined && due <= time) {
          const step = stepAlert(rules, state, { kind: 'due', key: KEY, time: due })
          state = step.state
          due = step.state && step.due
          if (step.outcome) decided.push(`${step.outcome.reason} ${step.outcome.made?.at}`)
        }
        const data = sighting(rules.ruleOf(KEY) as Rule, kind, index)
        const step = stepAlert(rules, state, { kind: 'record', key: KEY, time, data })
        if (step.state !== state) due = step.due
        state = step.state && stateCodec.decode(stateCodec.encode(step.state))
        const outcome = step.outcome as NonNullable<typeof step.outcome>
        const text = outcomeCodec.encode(outcome)
        expect(outcomeCodec.decode(text)).toEqual(outcome)
        const parts = outcomeCodec.encodeParts?.(outcome)
        expect(`${parts?.own}${parts?.shared}`).toBe(text)
        decided.push(`${outcome.status} ${outcome.first ?? '-'} ${outcome.count ?? '-'}`)
        expect(decided).toEqual(model.take(kind, time))
        expect(step.state === undefined || step.pinned === (step.state.active !== undefined)).toBe(true)
      }
    }),
    runs(500),
  )
})

test('one episode has one event id, from its first event through its recovery; no two episodes share one', () => {
  fc.assert(
    fc.property(schemas, events, (schema, given) => {
      const rules = rulesOf({ ...schema, expireNs: 0n })
      let state: AlertState | undefined
      let time = 1_000n
      const ids: string[] = []
      const firsts = new Map<string, bigint>()
      for (const [index, { kind, gap }] of given.entries()) {
        time += gap
        const data = sighting(rules.ruleOf(KEY) as Rule, kind, index)
        const step = stepAlert(rules, state, { kind: 'record', key: KEY, time, data })
        state = step.state
        const { eventId, status, first } = step.outcome as NonNullable<typeof step.outcome>
        expect(eventId === undefined).toBe(status === 'recovery_duplicate')
        if (eventId === undefined) continue
        if (ids.at(-1) !== eventId) ids.push(eventId)
        expect(firsts.get(eventId) ?? first).toBe(first)
        firsts.set(eventId, first as bigint)
      }
      // In order of time an id never comes back.
      expect(new Set(ids).size).toBe(ids.length)
    }),
    runs(),
  )
})

describe('merging', () => {
  const states = fc.tuple(schemas, events, fc.bigInt({ min: 0n, max: 50n })).map(([schema, given, start]) => {
    const rules = rulesOf({ ...schema, expireNs: 0n })
    let state: AlertState | undefined
    let time = 1_000n + start
    for (const [index, { kind, gap }] of [{ kind: 'alert', gap: 0n } as const, ...given].entries()) {
      time += gap
      const data = sighting(rules.ruleOf(KEY) as Rule, kind, index)
      state = stepAlert(rules, state, { kind: 'record', key: KEY, time, data }).state
    }
    return state as AlertState
  })

  test('is a union: order and repetition do not matter', () => {
    fc.assert(
      fc.property(states, states, states, (a, b, c) => {
        const merged = mergeStates(a, b)
        expect(mergeStates(b, a)).toEqual(merged)
        expect(mergeStates(a, a)).toEqual(a)
        expect(mergeStates(merged, b)).toEqual(merged)
        expect(mergeStates(mergeStates(a, b), c)).toEqual(mergeStates(a, mergeStates(b, c)))
      }),
      runs(300),
    )
  })

  test('active wins, the earliest firing stays, nothing counted is lost', () => {
    fc.assert(
      fc.property(states, states, (a, b) => {
        const merged = mergeStates(a, b)
        expect(merged.active !== undefined).toBe(a.active !== undefined || b.active !== undefined)
        if (a.active && b.active) {
          const first = a.active.firedAt <= b.active.firedAt ? a : b
          expect(merged.active?.firedAt).toBe(first.active?.firedAt)
          if (a.active.firedAt !== b.active.firedAt) expect(merged.episode).toEqual(first.episode)
        }
        const kept = merged.active ? merged.recoveries : merged.alerts
        for (const state of [a, b]) {
          const counted = merged.active ? (state.active ? state.recoveries : []) : state.alerts
          for (const time of counted) expect(kept).toContain(time)
        }
      }),
      runs(300),
    )
  })

  test('of two thousand events the newest thousand stay', () => {
    const state = (from: bigint): AlertState => ({
      newest: from + 999n,
      alerts: Array.from({ length: 1_000 }, (_, at) => from + BigInt(at)),
      recoveries: [],
      duplicates: 0,
      episode: { eventId: `${from}`, first: from },
    })
    const { alerts, episode } = mergeStates(state(0n), state(1_000n))
    expect([alerts.length, alerts[0], alerts.at(-1), episode?.first]).toEqual([1_000, 1_000n, 1_999n, 0n])
  })
})

function rulesOf(schema: AlertSchema): Rules {
  const text = { severity: 'critical', message: 'It broke', pattern: 'bad' }
  const rule: Rule = { id: KEY.slice(0, 16), line: 2, text, recovery: 'ok', schema }
  return { ruleOf: () => rule, isRemoved: () => false, ttlNs: 1_000_000n, scanNs: 60n }
}

function sighting(rule: Rule, kind: Sighting['kind'], index: number): Sighting {
  return { rule, kind, stamp: 0n, identity: () => `${index}`, origin: () => `${index}`, cut: false }
}

/** Looks through all events of an episode every time. Events come in order of time. */
class Model {
  #alerts: bigint[] = []
  #recoveries: bigint[] = []
  #first: bigint | undefined
  #firedAt: bigint | undefined

  constructor(private readonly schema: AlertSchema) {}

  take(kind: Event['kind'], now: bigint): string[] {
    const { count, windowNs, recoveryCount, recoveryWindowNs, expireNs } = this.schema
    const decided: string[] = []
    if (this.#firedAt !== undefined && expireNs > 0n && this.#firedAt + expireNs <= now) {
      decided.push(`auto_expire ${this.#firedAt + expireNs}`)
      this.#clear()
    }
    if (kind === 'recovery') {
      if (this.#firedAt === undefined) return [...decided, 'recovery_duplicate - -']
      this.#recoveries.push(now)
      const recent = this.#recoveries.filter(time => now - time <= recoveryWindowNs).length
      const first = this.#first
      if (recent < recoveryCount) return [...decided, `recovery_accumulating ${first} ${recent}`]
      this.#clear()
      return [...decided, `recovery ${first} -`]
    }
    if (this.#firedAt !== undefined) return [...decided, `alert_duplicate ${this.#first} -`]
    const earlier = this.#alerts.filter(time => now - time <= windowNs).length
    if (earlier === 0) this.#first = now
    this.#alerts.push(now)
    if (earlier + 1 < count) return [...decided, `alert_accumulating ${this.#first} ${earlier + 1}`]
    this.#alerts = []
    this.#firedAt = now
    return [...decided, `alert ${this.#first} ${earlier + 1}`]
  }

  #clear(): void {
    this.#alerts = []
    this.#recoveries = []
    this.#firedAt = undefined
    this.#first = undefined
  }
}
