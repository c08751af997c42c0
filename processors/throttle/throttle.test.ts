import fc from 'fast-check'
import { createRecord, type Keyed, type LogRecord, newMap, type Records } from 'tocsin/component'
import { awkwardRecords, processorConformance, testContext } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import { checkThrottle, type ThrottleConfig } from './config.js'
import { throttleProcessor } from './index.js'
import { throttle } from './throttle.js'
import { mergePassed, type Passed, passedCodec, stepThrottle, type Window } from './window.js'

const SECOND = 1_000_000_000n

function config(given: Partial<ThrottleConfig>): ThrottleConfig {
  return { count: 1, window: '10s', mode: 'sliding', max_keys: 10_000, time_source: 'event', ...given }
}

function create(given: Partial<ThrottleConfig>): Keyed<Passed, undefined, boolean> {
  const full = config(given)
  return throttle(testContext({ config: full, pipeline: 'logs' }))
}

function record(seconds: number, attributes: { [key: string]: string } = {}): LogRecord {
  return createRecord({
    id: `${seconds}`,
    timestamp: BigInt(Math.round(seconds * 1000)) * 1_000_000n + SECOND,
    attributes: newMap(Object.entries(attributes)),
  })
}

/** The states of the keys after the records, and what passed: as the runtime does it, with due timers first. */
async function run(keyed: Keyed<Passed, undefined, boolean>, records: Records) {
  const states = new Map<string, { readonly state: Passed; readonly due: bigint | undefined }>()
  const touches = await keyed.select(records)
  const passed = records.filter((item, index) => {
    const outcomes = (touches[index] ?? []).map(({ key, data }) => {
      const due = states.get(key)?.due
      if (due !== undefined && due <= item.time) keep(key, { kind: 'due', key, time: due })
      return keep(key, { kind: 'record', key, time: item.time, data }) as boolean
    })
    return keyed.join(item, outcomes).length > 0
  })
  function keep(key: string, event: Parameters<typeof keyed.step>[1]): boolean | undefined {
    const before = states.get(key)?.state
    const step = keyed.step(before, event)
    if (step.state === undefined) states.delete(key)
    else states.set(key, { state: step.state, due: step.due })
    return step.outcome
  }
  return { states, passed: passed.map(item => item.id) }
}

describe('conformance', () => {
  for (const mode of ['sliding', 'fixed'] as const) {
    const subject = { factory: throttleProcessor, config: config({ key: '{{http.status}}', mode }) }
    for (const check of processorConformance(subject)) test(`${mode} ${check.name}`, check.run)
  }
})

test('sliding: a record passes when fewer than count passed less than the window ago', async () => {
  const keyed = create({ count: 2 })
  const { passed } = await run(
    keyed,
    [0, 4, 5, 9.999, 10, 13, 14].map(s => record(s)),
  )
  expect(passed).toEqual(['0', '4', '10', '14'])
})

test('fixed: a window starts with a record and counts until it ends', async () => {
  const keyed = create({ count: 2, mode: 'fixed' })
  const { passed } = await run(
    keyed,
    [0, 4, 5, 9.999, 10, 13, 14, 19.9, 20].map(s => record(s)),
  )
  expect(passed).toEqual(['0', '4', '10', '13', '20'])
})

test('keys are counted apart; records without the value share a key', async () => {
  const keyed = create({ key: '{{ip}}' })
  const records = [
    record(0, { ip: 'a' }),
    record(1, { ip: 'b' }),
    record(2, { ip: 'a' }),
    record(3),
    record(4),
  ]
  const { passed, states } = await run(keyed, records)
  expect(passed).toEqual(['0', '1', '3'])
  expect([...states.keys()]).toEqual(['=a', '=b', '='])
})

test('without a key all records share one', async () => {
  expect((await run(create({}), [record(0, { ip: 'a' }), record(1, { ip: 'b' })])).passed).toEqual(['0'])
})

test('a key that cannot be rendered is a key of its own', async () => {
  const keyed = create({ key: '{{join ip}}' })
  const { passed, states } = await run(keyed, [record(0, { ip: 'a' }), record(1, { ip: 'b' }), record(2)])
  expect(passed).toEqual(['0', '2'])
  expect([...states.keys()]).toEqual(['error', '='])
})

test('a key vanishes when nothing of it counts any more, not before', () => {
  for (const mode of ['sliding', 'fixed'] as const) {
    const window: Window = { count: 2, windowNs: 10n, mode }
    const first = stepThrottle(window, undefined, { kind: 'record', key: '', time: 100n, data: undefined })
    const second = stepThrottle(window, first.state, { kind: 'record', key: '', time: 105n, data: undefined })
    const end = mode === 'sliding' ? 115n : 110n
    expect(second).toEqual({ state: [100n, 105n], due: end, outcome: true, reason: 'passed' })
    const early = stepThrottle(window, second.state, { kind: 'due', key: '', time: end - 1n })
    expect(early).toEqual({ state: second.state, due: end, outcome: undefined, reason: 'early' })
    const due = stepThrottle(window, second.state, { kind: 'due', key: '', time: end })
    expect(due).toEqual({ state: undefined, outcome: undefined, reason: 'expired' })
  }
})

test('late records do not slip by the window', async () => {
  const keyed = create({ count: 1 })
  const { passed } = await run(keyed, [record(100), record(1), record(2), record(105), record(110)])
  expect(passed).toEqual(['100', '110'])
})

test('a blocked record writes nothing', () => {
  const window: Window = { count: 1, windowNs: 10n, mode: 'sliding' }
  const state: Passed = [5n]
  const step = stepThrottle(window, state, { kind: 'record', key: '', time: 6n, data: undefined })
  expect(step.state).toBe(state)
  expect(step).toMatchObject({ outcome: false, reason: 'throttled' })
})

test('what is stored in one mode can be read in the other', () => {
  const state = passedCodec.decode(passedCodec.encode([3n, 3n, 9n]))
  const at = (mode: 'sliding' | 'fixed', time: bigint) =>
    stepThrottle({ count: 3, windowNs: 10n, mode }, state, { kind: 'record', key: '', time, data: undefined })
  expect(at('sliding', 12n).outcome).toBe(false)
  expect(at('fixed', 12n).outcome).toBe(false)
  expect(at('sliding', 13n)).toMatchObject({ outcome: true, state: [9n, 13n] })
  expect(at('fixed', 13n)).toMatchObject({ outcome: true, state: [13n] })
})

test('a zero window is refused', () => {
  expect(checkThrottle(config({ window: '0s' }))).toMatchObject([{ path: ['window'] }])
  expect(checkThrottle(config({ window: '1ns' }))).toEqual([])
})

test('awkward records have keys', async () => {
  const touches = await create({ key: '{{body}}{{a.b}}' }).select(awkwardRecords())
  expect(touches.every(([touch]) => (touch?.key.length ?? 0) <= 513)).toBe(true)
})

describe('against a plain model', () => {
  const step = fc.record({ gap: fc.bigInt({ min: -15n, max: 25n }), key: fc.constantFrom('a', 'b') })
  const windows = fc.record<Window>({
    count: fc.integer({ min: 1, max: 4 }),
    windowNs: fc.bigInt({ min: 1n, max: 30n }),
    mode: fc.constantFrom('sliding', 'fixed'),
  })

  test('passes the same records, keeps at most count times, survives its codec', () => {
    fc.assert(
      fc.property(windows, fc.array(step, { maxLength: 60 }), fc.boolean(), (window, steps, timers) => {
        const states = new Map<string, Passed | undefined>()
        const history = new Map<string, bigint[]>()
        let clock = 1_000n
        for (const { gap, key } of steps) {
          clock += gap
          const stored = states.get(key)
          const state = stored && passedCodec.decode(passedCodec.encode(stored))
          const early =
            timers && state ? stepThrottle(window, state, { kind: 'due', key, time: clock }).state : state
          const { state: next, outcome } = stepThrottle(window, early, {
            kind: 'record',
            key,
            time: clock,
            data: undefined,
          })
          expect(outcome).toBe(modelPasses(window, history, key, clock))
          expect(next?.length ?? 0).toBeLessThanOrEqual(window.count)
          states.set(key, next)
        }
      }),
      runs(500),
    )
  })

  test('merging is a union: order and repetition do not matter, and nothing passes that either would block', () => {
    const passed = fc
      .array(fc.bigInt({ min: 0n, max: 40n }), { maxLength: 4 })
      .map(times => times.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)))
    fc.assert(
      fc.property(windows, passed, passed, (window, a, b) => {
        const merged = mergePassed(window, a, b)
        expect(mergePassed(window, b, a)).toEqual(merged)
        expect(mergePassed(window, merged, merged)).toEqual(merged)
        expect(merged.length).toBeLessThanOrEqual(window.count)
        if (window.mode === 'fixed') return
        for (let time = 40n; time < 80n; time++) {
          const blocked = (state: Passed) =>
            !stepThrottle(window, state.slice(-window.count), {
              kind: 'record',
              key: '',
              time,
              data: undefined,
            }).outcome
          if (blocked(a) || blocked(b)) expect(blocked(merged)).toBe(true)
        }
      }),
      runs(),
    )
  })
})

/** All that ever passed, looked through for each record. */
function modelPasses(
  { count, windowNs, mode }: Window,
  history: Map<string, bigint[]>,
  key: string,
  at: bigint,
): boolean {
  const passed = history.get(key) ?? []
  history.set(key, passed)
  const newest = passed.find(time => time > at) === undefined ? at : (passed.at(-1) as bigint)
  if (mode === 'fixed') {
    // `history` holds the records of the current window only.
    if (passed[0] === undefined || newest - passed[0] >= windowNs) passed.length = 0
    if (passed.length >= count) return false
  } else if (passed.filter(time => newest - time < windowNs).length >= count) return false
  passed.push(newest)
  return true
}
