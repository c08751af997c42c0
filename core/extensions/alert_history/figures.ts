import type { KeyValueChange, KeyValueStore } from 'tocsin/component'
import type { Bucket, HistoryFilter, Timeline, Top } from '#history'
import { addRow, type Counted, Counts, type FiguresOfTime, noSums, type Row, type Subject } from './counts.js'
import { after, backwards, timeOf } from './keys.js'
import { entries, parse, put } from './stored.js'

const FINE_MS = 10_000
const COARSE_MS = 600_000
/** How long counts are kept by 10 s. */
export const FINE_KEPT_MS = 10_800_000
const MAX_BUCKETS = 1_000
const TOP = 10

type Resolution = 'f' | 'g'

const STEP: { readonly [resolution in Resolution]: number } = { f: FINE_MS, g: COARSE_MS }

/** What is counted, by spans of 10 s and of 10 min: figures cost as many reads as they have spans. */
export class FiguresBook {
  /** What this run of this collector counted, by resolution and span. */
  readonly #own = { f: new Map<number, Counts>(), g: new Map<number, Counts>() }

  constructor(
    private readonly store: () => KeyValueStore,
    private readonly now: () => number,
    /** Of this run of this collector. */
    private readonly writer: string,
  ) {}

  count(subject: Subject, what: Counted, count: number): void {
    if (count === 0) return
    const now = this.now()
    for (const resolution of ['f', 'g'] as const) {
      const at = spanOf(now, STEP[resolution])
      const spans = this.#own[resolution]
      let counts = spans.get(at)
      if (!counts) {
        counts = new Counts()
        spans.set(at, counts)
      }
      counts.add(subject, what, count)
    }
  }

  /** What has changed since the last call. */
  changes(): readonly KeyValueChange[] {
    const changes: KeyValueChange[] = []
    const now = this.now()
    for (const resolution of ['f', 'g'] as const)
      for (const [at, counts] of this.#own[resolution]) {
        if (counts.changed) changes.push(put(`${resolution}/${backwards(at)}/${this.writer}`, counts.rows()))
        counts.changed = false
        if (at + STEP[resolution] < now) this.#own[resolution].delete(at)
      }
    return changes
  }

  async figures(filter: HistoryFilter): Promise<FiguresOfTime> {
    const sums = noSums()
    for (const { rows } of await this.#spans(filter))
      for (const row of rows) if (wants(filter, row)) addRow(sums, row)
    return sums
  }

  async timeline(filter: HistoryFilter & { readonly from: number }, stepMs: number): Promise<Timeline> {
    const now = this.now()
    const to = Math.min(filter.to ?? now + 1, now + 1)
    const from = Math.min(filter.from, to)
    const least = STEP[this.#resolution(filter)]
    const wanted = Math.max(stepMs, (to - from) / (MAX_BUCKETS - 1))
    const step = Math.max(1, Math.ceil(wanted / least)) * least
    const first = spanOf(from, step)
    const buckets = new Map<number, Bucket & { at: number }>()
    for (let at = first; at < to; at += step) buckets.set(at, { at, ...noSums() })
    for (const { at, rows } of await this.#spans({ ...filter, from: first })) {
      const bucket = buckets.get(spanOf(at, step))
      if (bucket) for (const row of rows) if (wants(filter, row)) addRow(bucket, row)
    }
    return { stepMs: step, buckets: [...buckets.values()] }
  }

  async top(by: 'severity' | 'message' | 'host', filter: HistoryFilter, limit = TOP): Promise<Top> {
    const place = { severity: 1, message: 2, host: 3 }[by]
    const counts = new Map<string, number>()
    for (const { rows } of await this.#spans(filter))
      for (const row of rows) {
        const alerts = Number(row[4])
        const name = String(row[place])
        if (alerts > 0 && wants(filter, row)) counts.set(name, (counts.get(name) ?? 0) + alerts)
      }
    const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    const rest = sorted.slice(limit).reduce((sum, [, count]) => sum + count, 0)
    return { items: sorted.slice(0, limit).map(([name, count]) => ({ name, count })), rest }
  }

  #resolution({ from }: HistoryFilter): Resolution {
    return from !== undefined && from >= this.now() - FINE_KEPT_MS ? 'f' : 'g'
  }

  /** Of this run what is in memory, which is newer, of others what is written. */
  async #spans(
    filter: HistoryFilter,
  ): Promise<readonly { readonly at: number; readonly rows: readonly Row[] }[]> {
    const resolution = this.#resolution(filter)
    const own = this.#own[resolution]
    const from = spanOf(filter.from ?? 0, STEP[resolution])
    const last = spanOf(Math.min(this.now(), (filter.to ?? Number.POSITIVE_INFINITY) - 1), STEP[resolution])
    const spans: { at: number; rows: readonly Row[] }[] = []
    for (const [at, counts] of own) if (at >= from && at <= last) spans.push({ at, rows: counts.rows() })
    const range = [`${resolution}/${backwards(last)}`, after(`${resolution}/${backwards(from)}`)] as const
    for await (const [key, value] of entries(this.store(), ...range)) {
      const at = timeOf(key)
      if (own.has(at) && key.endsWith(`/${this.writer}`)) continue
      spans.push({ at, rows: parse<Row[]>(value) ?? [] })
    }
    return spans
  }
}

function spanOf(ms: number, step: number): number {
  return Math.floor(ms / step) * step
}

function wants(filter: HistoryFilter, [pipeline, severity, message, host]: Row): boolean {
  const { pipelines, severities, hosts, text } = filter
  if (pipelines && !pipelines.includes(pipeline)) return false
  if (hosts && !hosts.includes(host)) return false
  if (severities && !severities.some(one => one.toLowerCase() === severity.toLowerCase())) return false
  return text === undefined || `${message}\n${host}`.toLowerCase().includes(text.toLowerCase())
}
