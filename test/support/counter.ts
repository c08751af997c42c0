import { createRecord, type Keyed, type LogRecord, type Records, type Step } from 'tocsin/component'

/** A small alert: N events within a window fire, a recovery or time clears. Has all that a Keyed can do. */
export interface Counted {
  /** The events that count, ns. */
  readonly events: readonly bigint[]
  readonly firedAt?: bigint
  readonly first: bigint
}

export interface CounterOptions {
  readonly threshold?: number
  readonly windowNs?: bigint
  readonly expiryNs?: bigint
  readonly storage?: string
}

/** Records carry their touches in `attributes["keys"]`: `alert:KEY` or `recover:KEY`, separated by commas. */
export function counter(options: CounterOptions = {}): Keyed<Counted, string, string> {
  const { threshold = 3, windowNs = 60n, expiryNs = 100n, storage } = options
  const step = (
    state: Counted | undefined,
    time: bigint,
    kind: string,
    key: string,
  ): Step<Counted, string> => {
    if (kind === 'due') {
      if (!state) throw new Error('a timer of a key without state')
      const due =
        state.firedAt === undefined
          ? (state.events.at(-1) as bigint) + windowNs + 1n
          : state.firedAt + expiryNs
      if (time < due)
        return { state, due, pinned: state.firedAt !== undefined, outcome: undefined, reason: 'early' }
      if (state.firedAt === undefined) return { state: undefined, outcome: undefined, reason: 'stale' }
      return { state: undefined, outcome: `expired ${key} ${state.first}`, reason: 'expired' }
    }
    if (kind === 'recover') {
      if (state?.firedAt === undefined)
        return { state, outcome: `not active ${key}`, reason: 'recovery_duplicate' }
      return { state: undefined, outcome: `recovery ${key} ${state.first}`, reason: 'recovery' }
    }
    if (state?.firedAt !== undefined)
      return { state, outcome: `duplicate ${key} ${state.first}`, reason: 'duplicate' }
    const kept = (state?.events ?? []).filter(event => time - event <= windowNs)
    const events = [...kept, time]
    const first = events[0] as bigint
    if (events.length >= threshold) {
      return {
        state: { events: [], firedAt: time, first },
        due: time + expiryNs,
        pinned: true,
        outcome: `alert ${key} ${first}`,
        reason: 'alert',
      }
    }
    const outcome = `accumulating ${key} ${first} ${events.length}`
    return { state: { events, first }, due: time + windowNs + 1n, outcome, reason: 'accumulating' }
  }
  return {
    storage,
    maxKeys: 10_000,
    state: { encode: encodeCounted, decode: decodeCounted },
    outcome: { encode: String, decode: String },
    select: records =>
      records.map(record => {
        const keys = record.attributes.keys
        if (typeof keys !== 'string') return []
        return keys.split(',').map(touch => {
          const [kind = '', key = ''] = touch.split(':')
          return { key, data: kind }
        })
      }),
    step: (state, event) => step(state, event.time, event.kind === 'due' ? 'due' : event.data, event.key),
    join: (record, outcomes) => [record.with('attributes["outcomes"]', outcomes.join('; '))],
    expire: outcomes => outcomes.map(outcome => createRecord({ id: outcome, body: outcome })),
    merge: (remote, local) => ({
      events: [...new Set([...remote.events, ...local.events])].sort(),
      first: [remote.first, local.first].sort()[0] as bigint,
      ...firedAt(remote, local),
    }),
  }
}

export function event(id: string, time: bigint, keys: string): LogRecord {
  return createRecord({ id, timestamp: time, attributes: { keys } })
}

/** What came out, in order: the outcomes of records, the bodies of timers' records, the id of others. */
export function outcomesOf(records: Records): string[] {
  return records.map(record => String(record.attributes.outcomes ?? record.body ?? record.id))
}

function firedAt(...states: readonly Counted[]): { firedAt?: bigint } {
  const fired = states.flatMap(state => state.firedAt ?? []).sort()
  return fired[0] === undefined ? {} : { firedAt: fired[0] }
}

function encodeCounted({ events, firedAt, first }: Counted): string {
  return [first, firedAt ?? '', ...events].join(' ')
}

function decodeCounted(text: string): Counted {
  const [first = '', fired = '', ...events] = text.split(' ')
  return { first: BigInt(first), events: events.map(BigInt), ...(fired !== '' && { firedAt: BigInt(fired) }) }
}
