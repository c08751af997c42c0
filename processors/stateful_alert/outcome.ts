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

/** The text of an outcome but for what duplicates differ in. */
interface EpisodeText extends Pick<Outcome, 'key' | 'row'> {
  readonly first: bigint | undefined
  readonly shared: string
}

/** Of episodes of late, by event id: a storm journals an outcome for each of its records. */
const episodeTexts = new Map<string, EpisodeText>()
const MOST_EPISODE_TEXTS = 1_000

function sharedText(outcome: Outcome): string {
  const { status, key, row, eventId, first } = outcome
  if (status !== 'alert_duplicate' || eventId === undefined) return textOf(outcome)
  const known = episodeTexts.get(eventId)
  if (known && known.row === row && known.first === first && known.key === key) return known.shared
  if (episodeTexts.size >= MOST_EPISODE_TEXTS) episodeTexts.clear()
  const shared = textOf(outcome)
  episodeTexts.set(eventId, { key, row, first, shared })
  return shared
}

function textOf({ status, key, row, eventId, first, reason, recovered, made }: Outcome): string {
  const stored: Stored = {
    s: STATUSES.indexOf(status),
    k: key,
    w: storedRow(row),
    ...(eventId !== undefined && { e: eventId }),
    ...(first !== undefined && { f: hex(first) }),
    ...(reason && { r: reason }),
    ...(recovered && { u: recovered }),
    ...(made && { m: [hex(made.at), made.origin] }),
  }
  return JSON.stringify(stored).slice(1)
}

function encodeParts(outcome: Outcome): { own: string; shared: string } {
  const { count, duplicates, cut } = outcome
  let own = '{'
  if (duplicates !== undefined) own += `"d":${duplicates},`
  if (count !== undefined) own += `"n":${count},`
  if (cut) own += '"c":true,'
  return { own, shared: sharedText(outcome) }
}

export const outcomeCodec: Codec<Outcome> = {
  encodeParts,
  encode(outcome) {
    const { own, shared } = encodeParts(outcome)
    return own + shared
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
