import { formatRfc3339, nsToMs } from '../../component/index.js'
import type { Difference } from './against.js'
import type { Replay } from './run-replay.js'
import { suggestionsOf } from './suggest.js'
import type { Episode, RuleTally } from './tally.js'

export interface Shown {
  readonly replay: Replay
  /** So many of the noisiest keys. */
  readonly top: number
  readonly differences: readonly Difference[] | undefined
}

/** The whole answer as plain JSON. Times are RFC 3339, durations seconds. */
export function reportOf({ replay, top, differences }: Shown): object {
  const suggestions = suggestionsOf(replay)
  const { tally, rules, records, bytes, ms, first, last, warnings } = replay
  const byId = new Map(rules.map(rule => [rule.id, rule]))
  return {
    records,
    bytes,
    seconds: round(ms / 1_000),
    ...(first !== undefined && { from: formatRfc3339(first) }),
    ...(last !== undefined && { to: formatRfc3339(last) }),
    rules: rules.map(ruleOf),
    exporters: Object.fromEntries(
      [...tally.sent].map(([id, { notifying, count }]) => [
        id,
        { [notifying ? 'notifications' : 'records']: count },
      ]),
    ),
    noisiest_keys: tally.noisiest(top).map(({ rule, values, matched, fired }) => ({
      rule: byId.get(rule)?.rule.name,
      key: values,
      matched,
      fired,
    })),
    alerts: tally.episodes.map(episode => episodeOf(episode, byId.get(episode.rule))),
    alerts_left_out: tally.episodesLeftOut,
    ...(differences && { differences: differences.map(differenceOf) }),
    ...(suggestions && { suggestions: suggestions.map(suggestionObject) }),
    warnings,
  }
}

/** For a terminal. */
export function tableOf({ replay, top, differences }: Shown): string {
  const suggestions = suggestionsOf(replay)
  const { tally, rules, records, ms, first, last, warnings } = replay
  const lines = [
    first === undefined || last === undefined
      ? `${numberText(records)} records`
      : `${numberText(records)} records from ${formatRfc3339(first)} to ${formatRfc3339(last)}, read in ${(ms / 1_000).toFixed(1)} s. Nothing was sent.`,
    '',
  ]
  const shown = rules.filter(({ rule }) => rule.severity !== undefined || rule.line !== undefined)
  const others = rules.filter(rule => !shown.includes(rule) && rule.reasons.size > 0)
  if (shown.length > 0) {
    lines.push(
      ...columns([
        ['RULE', '', 'MATCHED', 'FIRED', 'ACTIVE', 'LONGEST', 'ONE SHORT', 'TOLD'],
        ...shown.map(tally => [
          placeOf(tally),
          tally.rule.name,
          numberText(tally.matched),
          numberText(tally.fired),
          durationText(tally.activeNs),
          durationText(tally.longestNs),
          tally.nearMisses > 0
            ? numberText(tally.nearMisses)
            : tally.closest
              ? `(${tally.closest} short)`
              : '',
          [...tally.sent].map(([exporter, count]) => `${exporter} ${count}`).join(', '),
        ]),
      ]),
      '',
    )
  }
  for (const { processor, rule, reasons } of others)
    lines.push(
      `${processor} (${rule.name}): ${[...reasons].map(([reason, count]) => `${reason} ${numberText(count)}`).join(', ')}`,
    )
  for (const [id, { notifying, count }] of tally.sent)
    lines.push(`${id}: ${numberText(count)} ${notifying ? 'notifications' : 'records'}`)
  const byId = new Map(rules.map(rule => [rule.id, rule]))
  const noisy = tally.noisiest(top).filter(({ values }) => values !== '')
  if (noisy.length > 0) {
    lines.push('', 'Noisiest keys:')
    lines.push(
      ...columns(
        noisy.map(({ rule, values, matched, fired }) => [
          `  ${values}`,
          byId.get(rule)?.rule.name ?? '',
          `${numberText(matched)} matched`,
          `${numberText(fired)} fired`,
        ]),
      ),
    )
  }
  if (differences) lines.push('', ...differenceLines(differences))
  if (suggestions) lines.push('', ...suggestionLines(suggestions, replay.bursts?.leftOut ?? 0))
  if (tally.episodesLeftOut > 0)
    lines.push(
      '',
      `The list of alerts ends at ${tally.episodes.length}: ${tally.episodesLeftOut} more are only counted.`,
    )
  for (const warning of warnings) lines.push(`warning: ${warning}`)
  return `${lines.join('\n').trimEnd()}\n`
}

function differenceLines(differences: readonly Difference[]): string[] {
  if (differences.length === 0) return ['The change makes no difference to any alert.']
  const count = (kind: Difference['kind']): number => differences.filter(one => one.kind === kind).length
  return [
    `The change adds ${count('added')} alerts, removes ${count('removed')} and changes the end of ${count('changed')}:`,
    ...differences.map(({ kind, rule, episode, before }) => {
      const sign = kind === 'added' ? '+' : kind === 'removed' ? '-' : '~'
      const was = before ? ` (before: ${endOf(before)})` : ''
      const key = episode.values === '' ? '' : ` [${visible(episode.values)}]`
      return `${sign} ${formatRfc3339(episode.firedAt)} ${visible(rule.rule.name)}${key}: ${endOf(episode)}${was}`
    }),
  ]
}

type Suggested = NonNullable<ReturnType<typeof suggestionsOf>>

function suggestionLines(suggestions: Suggested, leftOut: number): string[] {
  if (suggestions.length === 0) return ['No rule matched: there is nothing to suggest a threshold from.']
  return [
    'Thresholds that would tell the unusual from the usual here (a burst: matches of a key, each within the window after the one before):',
    ...columns(
      suggestions.map(one => [
        `  ${placeOf(one.rule)}`,
        one.rule.rule.name,
        `${one.count} in ${one.windowMs / 1_000} s`,
        `fires ${numberText(one.fires)}`,
        suggestionWhy(one),
      ]),
    ),
    ...(leftOut > 0
      ? [`  ${numberText(leftOut)} matches were too many to remember, and count in none of them.`]
      : []),
  ]
}

/** What a suggestion rests on, in words. */
export function suggestionWhy({ bursts, usual, least, most }: Suggested[number]): string {
  const of = `${numberText(bursts)} ${bursts === 1 ? 'burst' : 'bursts'}`
  if (least === undefined) return `nothing stands out of ${of}: at most ${numberText(usual)} together`
  const high = least === most ? numberText(least) : `${numberText(least)} to ${numberText(most ?? least)}`
  return `of ${of}, the usual ones have at most ${numberText(usual)}, those that stand out ${high}`
}

function suggestionObject({
  rule,
  count,
  windowMs,
  bursts,
  fires,
  usual,
  least,
  most,
}: Suggested[number]): object {
  return {
    rule: rule.rule.name,
    ...(rule.rule.line !== undefined && { line: rule.rule.line }),
    count,
    window_seconds: windowMs / 1_000,
    fires,
    bursts,
    usual,
    ...(least !== undefined && { stand_out: [least, most] }),
  }
}

export function endOf({ endedAt, endedBy }: Episode): string {
  return endedAt === undefined ? 'active at the end' : `until ${formatRfc3339(endedAt)}, ${endedBy}`
}

function ruleOf(tally: RuleTally): object {
  const { pipeline, processor, rule, matched, fired, activeNs, longestNs, nearMisses, closest } = tally
  return {
    pipeline,
    processor,
    ...(rule.file !== undefined && { file: rule.file }),
    ...(rule.line !== undefined && { line: rule.line }),
    ...(rule.ruleId !== undefined && { rule_id: rule.ruleId }),
    name: rule.name,
    ...(rule.severity !== undefined && { severity: rule.severity }),
    matched,
    fired,
    active_seconds: seconds(activeNs),
    longest_seconds: seconds(longestNs),
    one_short: nearMisses,
    ...(closest !== undefined && { closest }),
    reasons: Object.fromEntries(tally.reasons),
    told: Object.fromEntries(tally.sent),
  }
}

function episodeOf({ values, firedAt, endedAt, endedBy }: Episode, rule: RuleTally | undefined): object {
  return {
    rule: rule?.rule.name,
    ...(rule?.rule.line !== undefined && { line: rule.rule.line }),
    key: values,
    fired_at: formatRfc3339(firedAt),
    ...(endedAt !== undefined && { ended_at: formatRfc3339(endedAt), ended_by: endedBy }),
  }
}

function differenceOf({ kind, rule, episode, before }: Difference): object {
  return { kind, ...episodeOf(episode, rule), ...(before && { before: episodeOf(before, rule) }) }
}

export function placeOf({ processor, rule }: RuleTally): string {
  if (rule.file !== undefined) return `${rule.file}:${rule.line}`
  return rule.line === undefined ? processor : `${processor}[${rule.line}]`
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map(row => row.map(visible))
  const widths = (cells[0] ?? []).map((_, at) => Math.max(...cells.map(row => (row[at] as string).length)))
  return cells.map(row =>
    row
      .map((cell, at) =>
        /^[\d,.]+$/.test(cell) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}

/** What comes from logs and tables must not steer a terminal. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ')
}

export function numberText(count: number): string {
  return count.toLocaleString('en-US')
}

export function durationText(ns: bigint): string {
  const total = Math.round(nsToMs(ns) / 1_000)
  if (total === 0) return ''
  const [hours, minutes] = [Math.floor(total / 3_600), Math.floor(total / 60) % 60]
  return hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m${total % 60}s` : `${total}s`
}

function seconds(ns: bigint): number {
  return nsToMs(ns) / 1_000
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
