import type { Finding, LogRecord } from 'tocsin/component'
import { nearMiss, type Pattern, placesOf } from 'tocsin/pattern'
import type { Rule } from './rule.js'
import type { Table } from './table.js'

export interface ExplainOptions {
  readonly match_field?: string | undefined
  readonly alert_match: 'all' | 'first'
  readonly textOf: (record: LogRecord) => Uint8Array | undefined
}

/** Of a long table, so many rows that nearly match. */
const MOST_NEAR = 20

/** The rows that match a record, in their order, then those that nearly do. */
export function findings(
  table: Table,
  record: LogRecord,
  { match_field = 'body', alert_match, textOf }: ExplainOptions,
): readonly Finding[] {
  const bytes = textOf(record)
  if (bytes === undefined || bytes.length === 0) {
    const what = bytes === undefined ? 'is not there' : 'is empty'
    return [{ kind: 'nearly', part: `match_field ${match_field}`, why: `it ${what}: no row is looked at` }]
  }
  const text = Buffer.from(bytes).toString()
  const matched = table.set.match([bytes])
  const hits = new Set(matched.texts.length > 0 ? matched.of(0) : [])
  const cut = matched.wasCut(0)
  const matches: Finding[] = []
  const near: Finding[] = []
  let fired = false
  for (const [place, rule] of table.places.entries()) {
    if (!rule) continue
    const sides = [2 * place, 2 * place + 1] as const
    const isAlert = hits.has(sides[0])
    for (const side of sides) {
      const part = partOf(rule, side)
      if (hits.has(side)) {
        const spans = spansOf(table.patterns[side] as Pattern, text)
        const found = { rule: rule.id, part, text, spans }
        const why =
          alert_match === 'first' && fired
            ? 'an earlier row matched, and alert_match is first'
            : side === sides[1] && isAlert
              ? 'the alert pattern of this row matches too: it counts as an alert'
              : undefined
        if (why === undefined) matches.push({ ...found, kind: 'matches' })
        else near.push({ ...found, kind: 'nearly', why })
      } else if (near.length < MOST_NEAR) {
        const miss = nearMissOf(table.patterns[side] as Pattern, text, cut)
        if (miss) near.push({ rule: rule.id, kind: 'nearly', part, ...miss })
      }
    }
    fired ||= isAlert
  }
  return [...matches, ...near.slice(0, MOST_NEAR)]
}

function partOf({ text, recovery }: Rule, side: number): string {
  return side % 2 === 0
    ? `alert pattern ${JSON.stringify(text.pattern)}`
    : `recovery pattern ${JSON.stringify(recovery)}`
}

function nearMissOf(pattern: Pattern, text: string, cut: boolean): Partial<Finding> | undefined {
  if (cut) {
    const beyond = spansOf(pattern, text)
    if (beyond.length > 0)
      return { why: 'it is there only beyond the part of the text that is matched', text, spans: beyond }
  }
  const miss = nearMiss(pattern, text)
  return miss && { why: miss.why, text, ...(miss.span && { spans: [miss.span] }) }
}

function spansOf(pattern: Pattern, text: string): readonly (readonly [number, number])[] {
  const places = placesOf(pattern, text)
  if (pattern.mode === 'regex' || pattern.ignoreCase) return places
  return places.filter(([from, to]) => text.slice(from, to) === pattern.text)
}
