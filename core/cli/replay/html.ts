import { formatRfc3339, nsToMs } from '../../component/index.js'
import type { Difference } from './against.js'
import { durationText, endOf, numberText, placeOf, type Shown, suggestionWhy } from './report.js'
import { suggestionsOf } from './suggest.js'
import type { Episode } from './tally.js'

/** Alerts and differences that the page lists one by one; the timeline has all. */
const MAX_LISTED = 2_000
/** Of a timeline, in units of its own. */
const WIDTH = 1_000
const HEIGHT = 14

/**
 * The whole answer as one page that needs nothing else: no script, no request. What comes from logs and tables is text in it. Times are UTC.
 */
export function htmlOf(shown: Shown): string {
  const { replay, top, differences } = shown
  const { tally, rules, records, first, last, warnings } = replay
  const range = { first: first ?? 0n, last: last ?? 0n }
  const suggestions = suggestionsOf(replay)
  const byId = new Map(rules.map(rule => [rule.id, rule]))
  const episodes = groupBy(tally.episodes, ({ rule }) => rule)
  const listed = rules.filter(({ rule }) => rule.severity !== undefined || rule.line !== undefined)
  const noisy = tally.noisiest(top).filter(({ values }) => values !== '')
  const span =
    first === undefined || last === undefined ? '' : ` from ${formatRfc3339(first)} to ${formatRfc3339(last)}`
  return page([
    `<h1>Replay</h1><p>${numberText(records)} records${span}. ${numberText(tally.episodes.length + tally.episodesLeftOut)} alerts. Nothing was sent.</p>`,
    ...warnings.map(warning => `<p class="warning">${text(warning)}</p>`),
    section('Rules', [
      table(
        ['Where', 'Rule', 'Severity', 'Matched', 'Fired', 'Active', 'Longest', 'One short', 'Told', 'When'],
        listed.map(rule => [
          text(placeOf(rule)),
          text(rule.rule.name),
          text(rule.rule.severity ?? ''),
          numberText(rule.matched),
          numberText(rule.fired),
          durationText(rule.activeNs),
          durationText(rule.longestNs),
          rule.nearMisses > 0 ? numberText(rule.nearMisses) : '',
          text([...rule.sent].map(([exporter, count]) => `${exporter} ${count}`).join(', ')),
          timeline(episodes.get(rule.id) ?? [], range),
        ]),
      ),
    ]),
    section('Sent', [
      table(
        ['Exporter', 'Notifications', 'Records'],
        [...tally.sent].map(([id, { notifying, count }]) => [
          text(id),
          notifying ? numberText(count) : '',
          notifying ? '' : numberText(count),
        ]),
      ),
    ]),
    section('Noisiest keys', [
      table(
        ['Key', 'Rule', 'Matched', 'Fired'],
        noisy.map(({ rule, values, matched, fired }) => [
          text(values),
          text(byId.get(rule)?.rule.name ?? ''),
          numberText(matched),
          numberText(fired),
        ]),
      ),
    ]),
    section('Thresholds that would tell the unusual from the usual', [
      table(
        ['Where', 'Rule', 'Threshold', 'Fires', 'Why'],
        (suggestions ?? []).map(one => [
          text(placeOf(one.rule)),
          text(one.rule.rule.name),
          `${one.count} in ${one.windowMs / 1_000} s`,
          numberText(one.fires),
          suggestionWhy(one),
        ]),
      ),
    ]),
    differences ? differencesOf(differences) : '',
    section('Alerts', [
      table(
        ['Fired', 'Rule', 'Key', 'End'],
        tally.episodes
          .slice(0, MAX_LISTED)
          .map(episode => [
            formatRfc3339(episode.firedAt),
            text(byId.get(episode.rule)?.rule.name ?? ''),
            text(episode.values),
            text(endOf(episode)),
          ]),
      ),
      more(tally.episodes.length + tally.episodesLeftOut),
    ]),
  ])
}

function differencesOf(differences: readonly Difference[]): string {
  if (differences.length === 0) return '<h2>The change</h2><p>It makes no difference to any alert.</p>'
  return section('The change', [
    table(
      ['', 'Fired', 'Rule', 'Key', 'End', 'Before'],
      differences
        .slice(0, MAX_LISTED)
        .map(({ kind, rule, episode, before }) => [
          kind,
          formatRfc3339(episode.firedAt),
          text(rule.rule.name),
          text(episode.values),
          text(endOf(episode)),
          before ? text(endOf(before)) : '',
        ]),
    ),
    more(differences.length),
  ])
}

/** When a rule was active. Alerts that would be drawn over each other are one bar. */
function timeline(
  episodes: readonly Episode[],
  { first, last }: { readonly first: bigint; readonly last: bigint },
): string {
  const length = Math.max(1, nsToMs(last - first))
  const at = (time: bigint): number => (nsToMs(time - first) / length) * WIDTH
  const bars: { from: number; to: number; count: number; title: string }[] = []
  for (const episode of episodes) {
    const from = Math.floor(at(episode.firedAt))
    const to = Math.max(from + 2, Math.ceil(at(episode.endedAt ?? last)))
    const bar = bars.at(-1)
    if (bar && from <= bar.to) {
      bar.to = Math.max(bar.to, to)
      bar.count++
    } else bars.push({ from, to, count: 1, title: `${formatRfc3339(episode.firedAt)}, ${endOf(episode)}` })
  }
  if (bars.length === 0) return ''
  const drawn = bars.map(
    ({ from, to, count, title }) =>
      `<rect x="${from}" width="${to - from}" height="${HEIGHT}"><title>${text(title)}${count > 1 ? `, and ${count - 1} more` : ''}</title></rect>`,
  )
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${numberText(episodes.length)} alerts">${drawn.join('')}</svg>`
}

function more(count: number): string {
  return count > MAX_LISTED ? `<p>And ${numberText(count - MAX_LISTED)} more.</p>` : ''
}

function section(title: string, parts: readonly string[]): string {
  return parts[0] === '' ? '' : `<h2>${title}</h2>${parts.join('')}`
}

/** Of cells that are markup already. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const body = rows.map(
    row =>
      `<tr>${row.map(cell => `<td${/^[\d,]+$/.test(cell) ? ' class="number"' : cell.startsWith('<svg') ? ' class="when"' : ''}>${cell}</td>`).join('')}</tr>`,
  )
  return `<div><table><thead><tr>${head.map(cell => `<th>${cell}</th>`).join('')}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`
}

/** As text, in markup and in an attribute. */
function text(value: string): string {
  return value
    .replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
    .replace(/[\p{Cc}\u2028\u2029]/gu, ' ')
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}

function page(parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Replay</title>
<style>
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif }
body { margin: 1.5rem }
div { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884 }
.number { text-align: right; font-variant-numeric: tabular-nums }
.when { width: 40%; min-width: 16rem }
svg { display: block; width: 100%; height: 1.1rem; background: #8882 }
rect { fill: #c2410c }
.warning { border-left: 4px solid #d97706; padding-left: .75rem }
</style>
${parts.filter(part => part !== '').join('\n')}
</html>
`
}
