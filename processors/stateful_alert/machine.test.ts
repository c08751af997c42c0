import { describe, expect, test } from 'vitest'
import { type AlertSchema, parseAlertSchema } from './alert-schema.js'
import { type Rules, type Sighting, stepAlert } from './machine.js'
import type { Outcome } from './outcome.js'
import type { Rule } from './rule.js'
import { type AlertState, stateCodec } from './state.js'

const S = 1_000_000_000n
const MS = 1_000_000n
const DAY = 86_400n * S
const START = 1_768_471_200n * S
const KEY = '0123456789abcdef-0123456789abcdef01234567'

/** One key, driven as the runtime drives it: due timers first, states through their codec. */
class Driver {
  state: AlertState | undefined
  due: bigint | undefined
  pinned = false
  rule: Rule | undefined
  removed = false
  ttlNs = DAY
  scanNs = 60n * S
  #records = 0

  constructor(schema: string) {
    this.rule = ruleOf(schema)
  }

  get rules(): Rules {
    return {
      ruleOf: () => this.rule,
      isRemoved: () => this.removed,
      ttlNs: this.ttlNs,
      scanNs: this.scanNs,
    }
  }

  alert(seconds: number | bigint): Outcome {
    return this.record('alert', seconds)
  }

  recovery(seconds: number | bigint): Outcome {
    return this.record('recovery', seconds)
  }

  record(kind: Sighting['kind'], at: number | bigint, stamp?: bigint): Outcome {
    const time = START + (typeof at === 'bigint' ? at : BigInt(Math.round(at * 1e9)))
    const id = `record-${this.#records++}`
    const rule = this.rule as Rule
    const data: Sighting = {
      rule,
      kind,
      stamp: stamp ?? time,
      identity: () => id,
      origin: () => `origin of ${id}`,
      cut: false,
    }
    const step = stepAlert(this.rules, this.state, { kind: 'record', key: KEY, time, data })
    if (step.state !== this.state || step.due !== undefined) this.due = step.due
    if (step.state === this.state) expect(step.outcome?.status).toBe('recovery_duplicate')
    this.#take(step.state, step.pinned)
    return step.outcome as Outcome
  }

  /** Runs the timers up to this time. */
  tick(seconds: number): Outcome[] {
    const until = START + BigInt(Math.round(seconds * 1e9))
    const outcomes: Outcome[] = []
    while (this.due !== undefined && this.due <= until) {
      const time = this.due
      const step = stepAlert(this.rules, this.state, { kind: 'due', key: KEY, time })
      expect(step.state === undefined || step.due === undefined || step.due > time).toBe(true)
      this.due = step.state && step.due
      this.#take(step.state, step.pinned)
      if (step.outcome) outcomes.push(step.outcome)
    }
    return outcomes
  }

  wake(seconds: number): Outcome | undefined {
    const time = START + BigInt(seconds) * S
    const step = stepAlert(this.rules, this.state, { kind: 'due', key: KEY, time })
    this.due = step.state && step.due
    this.#take(step.state, step.pinned)
    return step.outcome
  }

  #take(state: AlertState | undefined, pinned: boolean | undefined): void {
    if (state) expect(stateCodec.decode(stateCodec.encode(state))).toEqual(state)
    this.state = state
    this.pinned = pinned ?? (state === undefined ? false : this.pinned)
  }
}

function ruleOf(schema: string, recovery = 'ok'): Rule {
  const parsed = parseAlertSchema(schema) as AlertSchema
  return {
    id: '0123456789abcdef',
    line: 2,
    text: { severity: 'critical', message: 'It broke', pattern: 'bad' },
    recovery,
    schema: parsed,
  }
}

describe('every line of the table of transitions', () => {
  test('alert pattern, not active, immediate: alert', () => {
    const key = new Driver('immediate')
    expect(key.alert(0)).toMatchObject({ status: 'alert', first: START, row: { pattern: 'bad' } })
    expect(key.alert(0)).not.toHaveProperty('count')
    expect(key.pinned).toBe(true)
  })

  test('alert pattern, not active, threshold, fewer than N: alert_accumulating; the Nth: alert', () => {
    const key = new Driver('threshold,3,300,1,60')
    const outcomes = [key.alert(0), key.alert(1), key.alert(2)]
    expect(outcomes.map(({ status, count }) => [status, count])).toEqual([
      ['alert_accumulating', 1],
      ['alert_accumulating', 2],
      ['alert', 3],
    ])
    expect(new Set(outcomes.map(({ eventId }) => eventId)).size).toBe(1)
    expect(new Set(outcomes.map(({ first }) => first))).toEqual(new Set([START]))
  })

  test('alert pattern, active: alert_duplicate, counted', () => {
    const key = new Driver('threshold,2,300,1,60')
    const { eventId } = key.alert(0)
    key.alert(1)
    for (const duplicates of [1, 2, 3]) {
      const outcome = key.alert(1 + duplicates)
      expect(outcome).toMatchObject({ status: 'alert_duplicate', duplicates, eventId, first: START })
      expect(outcome).not.toHaveProperty('count')
    }
  })

  test('recovery pattern, active, immediate: the first recovers', () => {
    const key = new Driver('immediate')
    const { eventId } = key.alert(0)
    key.alert(5)
    expect(key.recovery(60)).toMatchObject({
      status: 'recovery',
      reason: 'pattern',
      duplicates: 1,
      eventId,
      first: START,
      row: { pattern: 'ok' },
    })
    expect(key.pinned).toBe(false)
  })

  test('recovery pattern, active: fewer than M within W accumulate, the Mth recovers', () => {
    const key = new Driver('threshold,1,60,3,10')
    const { eventId } = key.alert(0)
    expect(key.recovery(1)).toMatchObject({
      status: 'recovery_accumulating',
      eventId,
      first: START,
      count: 1,
    })
    expect(key.recovery(2)).toMatchObject({ status: 'recovery_accumulating', count: 2 })
    expect(key.recovery(3)).toMatchObject({ status: 'recovery', reason: 'pattern', eventId })
  })

  test('recovery pattern, not active: recovery_duplicate without an event id', () => {
    const key = new Driver('immediate')
    const outcome = key.recovery(0)
    expect(outcome).toMatchObject({ status: 'recovery_duplicate', row: { pattern: 'ok' } })
    expect(outcome).not.toHaveProperty('eventId')
    expect(key.state).toBeUndefined()
    key.alert(1)
    key.recovery(2)
    expect(key.recovery(3)).not.toHaveProperty('eventId')
  })

  test('E seconds after it fired: recovery, auto_expire', () => {
    const key = new Driver('immediate,60')
    const { eventId } = key.alert(0)
    key.alert(50)
    expect(key.tick(59.999)).toEqual([])
    expect(key.tick(1000)).toMatchObject([
      {
        status: 'recovery',
        reason: 'auto_expire',
        eventId,
        duplicates: 1,
        row: { pattern: 'bad', message: 'It broke' },
        made: { at: START + 60n * S, origin: 'origin of record-0' },
      },
    ])
    expect(key.alert(1001)).toMatchObject({ status: 'alert' })
  })

  test('stale state goes at a scan: heartbeat_scan', () => {
    const key = new Driver('threshold,2,10,1,10')
    key.ttlNs = 100n * S
    key.scanNs = 60n * S
    key.alert(5)
    expect(key.tick(119.9)).toEqual([])
    expect(key.tick(120)).toMatchObject([
      { status: 'heartbeat_scan', count: 0, made: { at: START + 120n * S } },
    ])
    expect(key.state).toBeUndefined()
    key.alert(121)
    key.alert(121)
    expect(key.tick(1000)).toMatchObject([{ status: 'heartbeat_scan', count: 1 }])
  })
})

describe('windows slide and include their border', () => {
  test('T: an event counts while now - t <= T', () => {
    const fires = (gap: bigint) => {
      const key = new Driver('threshold,2,300,1,60')
      key.alert(0)
      return key.alert(gap).status
    }
    expect(fires(300n * S)).toBe('alert')
    expect(fires(300n * S + 1n)).toBe('alert_accumulating')
    expect(fires(300n * S + MS)).toBe('alert_accumulating')
    expect(fires(300n * S - MS)).toBe('alert')
  })

  test('W: likewise', () => {
    const recovers = (gap: bigint) => {
      const key = new Driver('threshold,1,300,2,60')
      key.alert(0)
      key.recovery(10)
      return key.recovery(10n * S + gap).status
    }
    expect(recovers(60n * S)).toBe('recovery')
    expect(recovers(60n * S + 1n)).toBe('recovery_accumulating')
    expect(recovers(60n * S + MS)).toBe('recovery_accumulating')
  })

  test('E: exactly E after firing', () => {
    const key = new Driver('immediate,60')
    key.alert(0)
    expect(key.due).toBe(START + 60n * S)
    expect(key.wake(59)).toBeUndefined()
    expect(key.due).toBe(START + 60n * S)
    expect(key.wake(60)).toMatchObject({ reason: 'auto_expire' })
  })

  test('an episode begins with the first event counted into an empty window', () => {
    const key = new Driver('threshold,3,10,1,60')
    const first = key.alert(0)
    const second = key.alert(8)
    // The first has slid out, the second keeps the episode going.
    const third = key.alert(16)
    expect([second.eventId, third.eventId]).toEqual([first.eventId, first.eventId])
    expect(third).toMatchObject({ status: 'alert_accumulating', count: 2, first: START })
    const next = key.alert(27)
    expect(next).toMatchObject({ count: 1, first: START + 27n * S })
    expect(next.eventId).not.toBe(first.eventId)
  })

  test('first_occurrence is the oldest event, and is frozen when it fires', () => {
    const key = new Driver('threshold,3,60,1,60')
    const first = key.alert(10)
    const late = key.alert(4)
    expect(late).toMatchObject({ first: START + 4n * S, eventId: first.eventId, count: 2 })
    expect(key.alert(11)).toMatchObject({ status: 'alert', first: START + 4n * S })
    expect(key.alert(1)).toMatchObject({ status: 'alert_duplicate', first: START + 4n * S })
  })
})

describe('episodes', () => {
  test('firing empties the window: firing again needs N new events', () => {
    const key = new Driver('threshold,2,300,1,60')
    key.alert(0)
    const one = key.alert(1)
    key.alert(2)
    key.recovery(3)
    expect(key.alert(4)).toMatchObject({ status: 'alert_accumulating', count: 1 })
    const two = key.alert(5)
    expect(two).toMatchObject({ status: 'alert', count: 2, first: START + 4n * S })
    expect(two.eventId).not.toBe(one.eventId)
  })

  test('recovery_duplicate leaves accumulation as it is', () => {
    const key = new Driver('threshold,3,300,1,60')
    key.alert(0)
    key.alert(1)
    const before = key.state
    expect(key.recovery(2).status).toBe('recovery_duplicate')
    expect(key.state).toBe(before)
    expect(key.alert(3).status).toBe('alert')
  })

  test('expiry empties both windows', () => {
    const key = new Driver('threshold,1,300,2,300,10')
    key.alert(0)
    key.recovery(9)
    key.tick(10)
    expect(key.state).toMatchObject({ alerts: [], recoveries: [] })
    key.alert(11)
    expect(key.recovery(12).status).toBe('recovery_accumulating')
  })

  test('duplicates do not push the expiry out', () => {
    const key = new Driver('threshold,1,60,1,60,100')
    key.alert(0)
    for (let second = 10; second < 100; second += 10) key.alert(second)
    expect(key.tick(100)).toMatchObject([{ reason: 'auto_expire', made: { at: START + 100n * S } }])
  })

  test('event ids are the same for the same order of arrival, and differ for episodes of one time', () => {
    const run = () => {
      const key = new Driver('immediate')
      const ids = []
      for (let episode = 0; episode < 3; episode++) {
        ids.push(key.alert(0).eventId)
        key.recovery(0)
      }
      return ids
    }
    expect(run()).toEqual(run())
    expect(new Set(run()).size).toBe(3)
  })

  test('records without a time of their own have episodes of their own', () => {
    const key = new Driver('immediate')
    const one = key.record('alert', 0, 0n)
    key.recovery(1)
    expect(key.record('alert', 2, 0n).eventId).not.toBe(one.eventId)
  })
})

describe('late events', () => {
  test('windows measure against the newest event of the key', () => {
    const key = new Driver('threshold,3,60,1,60')
    key.alert(100)
    expect(key.alert(40)).toMatchObject({ status: 'alert_accumulating', count: 2 })
    expect(key.alert(39)).toMatchObject({ status: 'alert_accumulating', count: 2, first: START + 40n * S })
    expect(key.alert(101)).toMatchObject({ status: 'alert_accumulating', count: 2 })
    expect(key.alert(102)).toMatchObject({ status: 'alert', count: 3 })
  })

  test('an alert older than the last recovery alerts and recovers at once', () => {
    const key = new Driver('immediate')
    key.alert(10)
    key.recovery(20)
    expect(key.alert(19)).toMatchObject({ status: 'alert', recovered: true })
    expect(key.state?.active).toBeUndefined()
    expect(key.pinned).toBe(false)
    const next = key.alert(20)
    expect(next.status).toBe('alert')
    expect(next).not.toHaveProperty('recovered')
  })

  test('one event is enough where N is 1, however late', () => {
    const key = new Driver('threshold,1,10,1,10')
    key.alert(100)
    key.recovery(200)
    expect(key.alert(50)).toMatchObject({ status: 'alert', count: 1, recovered: true })
  })
})

describe('what changes about the row', () => {
  test('an active alert survives another severity, message and schema', () => {
    const key = new Driver('immediate')
    const { eventId } = key.alert(0)
    key.rule = {
      ...ruleOf('threshold,5,60,1,60,100'),
      text: { severity: 'info', message: 'Calm', pattern: 'bad' },
    }
    expect(key.alert(1)).toMatchObject({ status: 'alert_duplicate', eventId, row: { severity: 'info' } })
    expect(key.tick(100)).toMatchObject([{ reason: 'auto_expire', row: { message: 'Calm' } }])
  })

  test('a new E moves the timer when the key is looked at', () => {
    const key = new Driver('immediate')
    key.alert(0)
    key.rule = ruleOf('immediate,30')
    expect(key.wake(10)).toBeUndefined()
    expect(key.due).toBe(START + 30n * S)
    key.rule = ruleOf('immediate,5')
    expect(key.wake(12)).toMatchObject({ reason: 'auto_expire', made: { at: START + 5n * S } })
  })

  test('a row that is gone still expires as it did when it fired', () => {
    const key = new Driver('immediate,60')
    key.alert(0)
    key.rule = undefined
    expect(key.tick(60)).toMatchObject([{ reason: 'auto_expire', row: { message: 'It broke' } }])
  })

  test('a removed row closes its active alert, and nothing else', () => {
    const key = new Driver('immediate')
    const { eventId } = key.alert(0)
    key.rule = undefined
    key.removed = true
    expect(key.wake(10)).toMatchObject({
      status: 'recovery',
      reason: 'rule_removed',
      eventId,
      row: { message: 'It broke' },
      made: { at: START + 10n * S },
    })
    expect(key.state).toBeUndefined()

    // Before the time is known it closes too, not before its newest event.
    const unknown = new Driver('immediate')
    unknown.alert(7)
    unknown.removed = true
    expect(unknown.wake(-1000)).toMatchObject({ made: { at: START + 7n * S } })

    const idle = new Driver('threshold,2,60,1,60')
    idle.alert(0)
    idle.removed = true
    expect(idle.wake(10)).toBeUndefined()
  })
})

test('state stays for the longest of state_ttl, E, T and W', () => {
  for (const schema of ['immediate,1000', 'threshold,2,1000,1,1', 'threshold,2,1,1,1000']) {
    const key = new Driver(schema)
    key.ttlNs = S
    key.scanNs = S
    key.alert(0)
    expect(key.due).toBe(START + 1000n * S)
  }
})

test('of a thousand events a window holds a thousand, the next one fires', () => {
  const key = new Driver('threshold,1000,3600,1,60')
  for (let event = 1; event < 1000; event++) {
    expect(key.alert(event)).toMatchObject({ status: 'alert_accumulating', count: event })
  }
  expect(key.alert(1000)).toMatchObject({ status: 'alert', count: 1000 })
})
