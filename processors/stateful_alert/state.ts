import type { Codec } from 'tocsin/component'

/** What is remembered of a key: a row together with the values of the hash keys. Times are ns since the epoch. */
export interface AlertState {
  /** The newest event time of the key: windows measure against it. */
  readonly newest: bigint
  /** Alert events that count towards firing, oldest first. Empty while active. */
  readonly alerts: readonly bigint[]
  /** Recovery events that count towards recovery, oldest first. Empty while not active. */
  readonly recoveries: readonly bigint[]
  /** Since the first event counted into an empty window, until recovery. */
  readonly episode?: Episode | undefined
  readonly active?: Active | undefined
  /** Of the active alert: what a storm changes is here, and all that stays as it is in objects of its own. */
  readonly duplicates: number
  /** When the last alert recovered or expired. */
  readonly recoveredAt?: bigint | undefined
  /** Tells episodes apart that begin with events of the same time. */
  readonly last?: { readonly stamp: bigint; readonly repeat: number } | undefined
}

export interface Episode {
  readonly eventId: string
  /** Its oldest event. */
  readonly first: bigint
}

export interface Active {
  readonly firedAt: bigint
  /** A record of the resource and the hash keys, as OTLP JSON: for records that a timer makes. */
  readonly origin: string
  /** The row when it fired: what is left of it when it is gone from the table. */
  readonly row: RowText
  /** ns; 0n for never. As `AlertSchema.expireNs`. */
  readonly expireNs: bigint
}

/** What a row says of itself in records. */
export interface RowText {
  readonly severity: string
  readonly message: string
  /** The alert pattern. */
  readonly pattern: string
  readonly ruleId?: string
  readonly runbook?: string
  /** As in the table: `Dashboard https://grafana/d/1; Logs https://vl/select`. */
  readonly links?: string
}

/** Of all states: there may be a million. */
export const NO_TIMES: readonly bigint[] = Object.freeze([])

type StoredRow = readonly [
  severity: string,
  message: string,
  pattern: string,
  ruleId?: string | null,
  runbook?: string | null,
  links?: string,
]

interface Stored {
  readonly n: string
  readonly a?: string
  readonly r?: string
  readonly e?: readonly [string, string]
  readonly x?: readonly [firedAt: string, duplicates: number, origin: string, row: StoredRow, expire: string]
  readonly c?: string
  readonly l?: readonly [string, number]
}

/** Compact JSON: times in hex, windows as the steps from one time to the next. */
export const stateCodec: Codec<AlertState> = {
  encode({ newest, alerts, recoveries, episode, active, duplicates, recoveredAt, last }) {
    const stored: Stored = {
      n: hex(newest),
      ...(alerts.length > 0 && { a: encodeTimes(alerts) }),
      ...(recoveries.length > 0 && { r: encodeTimes(recoveries) }),
      ...(episode && { e: [episode.eventId, hex(episode.first)] }),
      ...(active && {
        x: [hex(active.firedAt), duplicates, active.origin, storedRow(active.row), hex(active.expireNs)],
      }),
      ...(recoveredAt !== undefined && { c: hex(recoveredAt) }),
      ...(last && { l: [hex(last.stamp), last.repeat] }),
    }
    return JSON.stringify(stored)
  },
  decode(text) {
    const { n, a = '', r = '', e, x, c, l } = JSON.parse(text) as Stored
    return {
      newest: fromHex(n),
      alerts: decodeTimes(a),
      recoveries: decodeTimes(r),
      episode: e && { eventId: e[0], first: fromHex(e[1]) },
      active: x && { firedAt: fromHex(x[0]), origin: x[2], row: readRow(x[3]), expireNs: fromHex(x[4]) },
      duplicates: x ? x[1] : 0,
      recoveredAt: c === undefined ? undefined : fromHex(c),
      last: l && { stamp: fromHex(l[0]), repeat: l[1] },
    }
  },
}

export function storedRow({ severity, message, pattern, ruleId, runbook, links }: RowText): StoredRow {
  if (runbook !== undefined || links !== undefined) {
    const stored = [severity, message, pattern, ruleId ?? null, runbook ?? null] as const
    return links === undefined ? stored : [...stored, links]
  }
  return ruleId === undefined ? [severity, message, pattern] : [severity, message, pattern, ruleId]
}

export function readRow([severity, message, pattern, ruleId, runbook, links]: StoredRow): RowText {
  return {
    severity,
    message,
    pattern,
    ...(typeof ruleId === 'string' && { ruleId }),
    ...(typeof runbook === 'string' && { runbook }),
    ...(links !== undefined && { links }),
  }
}

export function hex(value: bigint): string {
  return value.toString(16)
}

export function fromHex(text: string): bigint {
  return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`)
}

function encodeTimes(times: readonly bigint[]): string {
  return times.map((time, at) => hex(at === 0 ? time : time - (times[at - 1] as bigint))).join(' ')
}

function decodeTimes(text: string): readonly bigint[] {
  if (text === '') return NO_TIMES
  let time = 0n
  return text.split(' ').map(step => {
    time += fromHex(step)
    return time
  })
}
