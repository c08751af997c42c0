import type { Codec } from 'tocsin/component'
import { fromHex, hex, type RowText, readRow, storedRow } from './state.js'

export const STATUSES = [
  'alert',
  'alert_accumulating',
  'alert_duplicate',
  'recovery',
  'recovery_accumulating',
  'recovery_duplicate',
  'heartbeat_scan',
] as const

export type Status = (typeof STATUSES)[number]
export type RecoveryReason = 'pattern' | 'auto_expire' | 'rule_removed'

/** What was decided for one key: all that `attributes["alert"]` says. */
export interface Outcome {
  readonly status: Status
  /** `alert_key`. */
  readonly key: string
  /** `pattern` is the pattern that matched. */
  readonly row: RowText
  readonly eventId?: string
  /** ns since the epoch. */
  readonly first?: bigint
  /** Of a window; of a scan: 1 when the stale state was an active alert. */
  readonly count?: number
  readonly duplicates?: number
  readonly reason?: RecoveryReason
  /** Only the beginning of the text was matched. */
  readonly cut?: true
  /** An alert that is older than the last recovery of its key: it has recovered already. */
  readonly recovered?: true
  /** Of what a timer decided: no record came, one is made. */
  readonly made?: Made
}

export interface Made {
  /** Event time of the record, ns since the epoch. */
  readonly at: bigint
  /** See `Active.origin`; '' for stale state. */
  readonly origin: string
}

interface Stored {
  readonly s: number
  readonly k: string
  readonly w: ReturnType<typeof storedRow>
  readonly e?: string
  readonly f?: string
  readonly n?: number
  readonly d?: number
  readonly r?: RecoveryReason
  readonly c?: true
  readonly u?: true
  readonly m?: readonly [string, string]
}

/** Notifying outcomes are for people: `skip_webhook` is false. */
export function isNotifying({ status }: Outcome): boolean {
  return status === 'alert' || status === 'recovery'
}

export const outcomeCodec: Codec<Outcome> = {
  encode({ status, key, row, eventId, first, count, duplicates, reason, cut, recovered, made }) {
    const stored: Stored = {
      s: STATUSES.indexOf(status),
      k: key,
      w: storedRow(row),
      ...(eventId !== undefined && { e: eventId }),
      ...(first !== undefined && { f: hex(first) }),
      ...(count !== undefined && { n: count }),
      ...(duplicates !== undefined && { d: duplicates }),
      ...(reason && { r: reason }),
      ...(cut && { c: cut }),
      ...(recovered && { u: recovered }),
      ...(made && { m: [hex(made.at), made.origin] }),
    }
    return JSON.stringify(stored)
  },
  decode(text) {
    const { s, k, w, e, f, n, d, r, c, u, m } = JSON.parse(text) as Stored
    return {
      status: STATUSES[s] as Status,
      key: k,
      row: readRow(w),
      ...(e !== undefined && { eventId: e }),
      ...(f !== undefined && { first: fromHex(f) }),
      ...(n !== undefined && { count: n }),
      ...(d !== undefined && { duplicates: d }),
      ...(r && { reason: r }),
      ...(c && { cut: c }),
      ...(u && { recovered: u }),
      ...(m && { made: { at: fromHex(m[0]), origin: m[1] } }),
    }
  },
}
