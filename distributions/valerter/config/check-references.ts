import { type MapNode, type Path, toValue } from '../../../core/config/index.js'
import { victorialogsReceiver } from '../../../receivers/victorialogs/index.js'
import { isWord, scanLogsQl } from '../../../receivers/victorialogs/logsql.js'
import type { Report } from './report.js'
import type { ValerterConfig } from './types.js'

const DEFAULT_MAX_STREAMS = 50

/** What rules name, and what they are all together. Entries that are invalid themselves count as there, and are read as far as they go. */
export function checkReferences(config: ValerterConfig, root: MapNode, report: Report): void {
  const section = (name: string): Named => {
    const value = root.entries.get(name)?.value
    return (value?.kind === 'map' ? toValue(value) : {}) as Named
  }
  const given: Given = {
    templates: section('templates'),
    notifiers: section('notifiers'),
    sources: config.version === 1 ? { main: {} } : section('victorialogs'),
  }
  const rules = section('rules')
  for (const [name, written] of Object.entries(rules)) {
    const path = ['rules', name]
    const rule = legible(written)
    checkNames(rule, path, given, report)
    checkNotify(rule, path, given, report)
    if (rule.query !== undefined) checkQuery(rule.query, [...path, 'query'], report)
  }
  checkStreams(config, Object.values(rules), Object.keys(given.sources).length, report)
}

type Named = { readonly [name: string]: unknown }

/** The sections as they are written. */
interface Given {
  readonly templates: Named
  readonly notifiers: Named
  readonly sources: Named
}

/** What of a rule can be read, whatever is wrong with it. */
interface Legible {
  readonly query: string | undefined
  readonly template: string | undefined
  /** With their places in the list. */
  readonly destinations: readonly Listed[]
  readonly channel: unknown
  readonly sources: readonly Listed[]
}

type Listed = readonly [index: number, name: string]

function legible(written: unknown): Legible {
  const { query, notify, vl_sources } = fieldsOf(written)
  const { template, destinations, mattermost_channel } = fieldsOf(notify)
  return {
    query: stringOf(query),
    template: stringOf(template),
    destinations: listed(destinations),
    channel: mattermost_channel,
    sources: listed(vl_sources),
  }
}

function listed(value: unknown): readonly Listed[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((name, index): Listed[] => (typeof name === 'string' ? [[index, name]] : []))
}

function fieldsOf(value: unknown): Named {
  return typeof value === 'object' && value !== null ? (value as Named) : {}
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function checkNames(rule: Legible, path: Path, given: Given, report: Report): void {
  const missing = (what: string, name: string, of: Named, at: Path): void => {
    const there = Object.keys(of)
    // That there is none at all is said already.
    if (there.length > 0 && !Object.hasOwn(of, name))
      report.error(
        [...path, ...at],
        `there is no ${what} "${name}"`,
        `there are: ${there.slice(0, 20).join(', ')}`,
      )
  }
  const all = (what: string, named: readonly Listed[], of: Named, at: Path): void => {
    for (const [index, name] of named) {
      missing(what === 'destination' ? 'notifier' : what, name, of, [...at, index])
      if (named.some(([before, other]) => before < index && other === name))
        report.error([...path, ...at, index], `the ${what} "${name}" is named twice`, 'remove one')
    }
  }
  if (rule.template !== undefined) missing('template', rule.template, given.templates, ['notify', 'template'])
  all('destination', rule.destinations, given.notifiers, ['notify', 'destinations'])
  all('source', rule.sources, given.sources, ['vl_sources'])
}

function checkNotify(
  { template, destinations, channel }: Legible,
  path: Path,
  given: Given,
  report: Report,
): void {
  const types = destinations.map(([, name]) => fieldsOf(given.notifiers[name]).type)
  const found = template === undefined ? undefined : given.templates[template]
  const { email_body_html, body_html, body_format } = fieldsOf(found)
  const mail = types.indexOf('email')
  if (mail >= 0 && found && !email_body_html && !body_html && body_format !== 'markdown')
    report.error(
      [...path, 'notify', 'template'],
      `the template "${template}" has no email_body_html, which the destination "${destinations[mail]?.[1]}" needs`,
      `add email_body_html to the template "${template}"`,
    )
  // One whose type cannot be told may be a Mattermost notifier.
  const known = types.filter(type => type !== undefined)
  if (channel !== undefined && known.length > 0 && !known.includes('mattermost'))
    report.warning(
      [...path, 'notify', 'mattermost_channel'],
      'mattermost_channel is ignored: no destination of this rule is a Mattermost notifier',
      'remove it, or add a Mattermost destination',
    )
}

/** What VictoriaLogs does not tail is known where its receiver is. Valerter refuses `join` too. */
function checkQuery(query: string, path: Path, report: Report): void {
  const problems = victorialogsReceiver.check?.({ endpoint: 'http://127.0.0.1', query } as never) ?? []
  const joins = scanLogsQl(query).pipes.some(([first]) => isWord(first, 'join'))
  if (joins) report.error(path, 'Valerter does not tail a query with the pipe "join"', 'leave the pipe out')
  for (const { path: key, severity, message, fix } of problems) {
    if (key[0] !== 'query' || (joins && message.includes('"join"'))) continue
    if (severity === 'warning') report.warning(path, message, fix)
    else report.error(path, message, fix)
  }
}

function checkStreams(
  config: ValerterConfig,
  rules: readonly unknown[],
  sources: number,
  report: Report,
): void {
  const enabled = rules.filter(rule => fieldsOf(rule).enabled !== false)
  if (rules.length > 0 && enabled.length === 0)
    report.error(['rules'], 'all rules are disabled', 'enable one')
  const most = config.defaults.max_streams ?? DEFAULT_MAX_STREAMS
  const streams = enabled.reduce((sum: number, rule) => sum + (legible(rule).sources.length || sources), 0)
  if (config.version === 2 && streams > most)
    report.error(
      ['defaults', 'max_streams'],
      `the enabled rules need ${streams} streams (each rule once for each of its sources); max_streams is ${most}`,
      `write max_streams: ${streams}, or disable rules`,
    )
}
