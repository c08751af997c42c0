import type { MapNode, Path } from '../../../core/config/index.js'
import { victorialogsReceiver } from '../../../receivers/victorialogs/index.js'
import { isWord, scanLogsQl } from '../../../receivers/victorialogs/logsql.js'
import type { Report } from './report.js'
import { sourcesOf, type ValerterConfig, type ValerterRule } from './types.js'

const DEFAULT_MAX_STREAMS = 50

/** What rules name, and what they are all together. Entries that are invalid themselves count as there. */
export function checkReferences(config: ValerterConfig, root: MapNode, report: Report): void {
  const names = (section: string): readonly string[] => {
    const value = root.entries.get(section)?.value
    return value?.kind === 'map' ? [...value.entries.keys()] : []
  }
  const known: Known = {
    templates: names('templates'),
    notifiers: names('notifiers'),
    sources: config.version === 1 ? ['main'] : names('victorialogs'),
  }
  for (const [name, rule] of Object.entries(config.rules)) {
    const path = ['rules', name]
    checkNames(rule, path, known, report)
    checkNotify(rule, path, config, report)
    checkQuery(rule.query, [...path, 'query'], report)
  }
  checkStreams(config, names('rules').length, report)
}

interface Known {
  readonly templates: readonly string[]
  readonly notifiers: readonly string[]
  readonly sources: readonly string[]
}

function checkNames(
  { notify, vl_sources = [] }: ValerterRule,
  path: Path,
  known: Known,
  report: Report,
): void {
  const missing = (what: string, name: string, there: readonly string[], at: Path): void => {
    // That there is none at all is said already.
    if (there.length > 0 && !there.includes(name))
      report.error(
        [...path, ...at],
        `there is no ${what} "${name}"`,
        `there are: ${there.slice(0, 20).join(', ')}`,
      )
  }
  const all = (what: string, named: readonly string[], there: readonly string[], at: Path): void => {
    for (const [index, name] of named.entries()) {
      missing(what === 'destination' ? 'notifier' : what, name, there, [...at, index])
      if (named.indexOf(name) < index)
        report.error([...path, ...at, index], `the ${what} "${name}" is named twice`, 'remove one')
    }
  }
  missing('template', notify.template, known.templates, ['notify', 'template'])
  all('destination', notify.destinations, known.notifiers, ['notify', 'destinations'])
  all('source', vl_sources, known.sources, ['vl_sources'])
}

function checkNotify({ notify }: ValerterRule, path: Path, config: ValerterConfig, report: Report): void {
  const { template, destinations, mattermost_channel } = notify
  const types = destinations.map(destination => config.notifiers[destination]?.type)
  const found = config.templates[template]
  const mail = types.indexOf('email')
  if (mail >= 0 && found && !found.email_body_html && found.body_format !== 'markdown')
    report.error(
      [...path, 'notify', 'template'],
      `the template "${template}" has no email_body_html, which the destination "${destinations[mail]}" needs`,
      `add email_body_html to the template "${template}"`,
    )
  if (mattermost_channel !== undefined && !types.includes(undefined) && !types.includes('mattermost'))
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

function checkStreams(config: ValerterConfig, given: number, report: Report): void {
  const rules = Object.values(config.rules)
  const enabled = rules.filter(rule => rule.enabled !== false)
  if (rules.length > 0 && rules.length === given && enabled.length === 0)
    report.error(['rules'], 'all rules are disabled', 'enable one')
  const most = config.defaults.max_streams ?? DEFAULT_MAX_STREAMS
  const streams = enabled.reduce((sum, rule) => sum + sourcesOf(rule, config).length, 0)
  if (config.version === 2 && streams > most)
    report.error(
      ['defaults', 'max_streams'],
      `the enabled rules need ${streams} streams (each rule once for each of its sources); max_streams is ${most}`,
      `write max_streams: ${streams}, or disable rules`,
    )
}
