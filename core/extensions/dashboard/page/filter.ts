import type { AlertRow } from '../messages.js'
import type { Filters } from './route.js'

/** From bad to harmless; what nobody knows comes last. */
const SEVERITIES = ['critical', 'error', 'warning', 'info', 'debug'] as const
const WORDS = new Map(
  Object.entries({
    critical: 'fatal emergency emerg alert panic crit critical high disaster',
    error: 'err error major',
    warning: 'warn warning medium minor',
    info: 'low notice info informational information',
    debug: 'debug trace',
  }).flatMap(([severity, words]) => words.split(' ').map(word => [word, severity] as const)),
)

/** How a severity looks: one of five, or `other`. */
export function severityClass(severity: string): string {
  const word = severity
    .trim()
    .toLowerCase()
    .replace(/[2-4]$/, '')
  return WORDS.get(word) ?? 'other'
}

function rank(severity: string): number {
  const at = (SEVERITIES as readonly string[]).indexOf(severityClass(severity))
  return at < 0 ? SEVERITIES.length : at
}

/** Those that the filters let through, in their order. */
export function shown(alerts: Iterable<AlertRow>, filters: Filters): AlertRow[] {
  const fits = fitter(filters)
  return [...alerts].filter(fits).sort(ORDERS[filters.sort] ?? bySeverity)
}

export function fitter(filters: Filters): (alert: AlertRow) => boolean {
  const { severity, host, pipeline } = filters
  const text = filters.text.toLowerCase()
  const isIn = (list: readonly string[], value: string) => list.length === 0 || list.includes(value)
  const severities = severity.map(each => each.toLowerCase())
  return alert =>
    isIn(severities, alert.severity.toLowerCase()) &&
    isIn(host, alert.host) &&
    isIn(pipeline, alert.pipeline) &&
    (text === '' || has(alert, text))
}

function has({ message, lastLine, host, service }: AlertRow, text: string): boolean {
  return `${message}\n${lastLine}\n${host}\n${service}`.toLowerCase().includes(text)
}

type Order = (a: AlertRow, b: AlertRow) => number

const newest: Order = (a, b) => b.firedAt - a.firedAt || (a.id < b.id ? -1 : 1)
const bySeverity: Order = (a, b) => rank(a.severity) - rank(b.severity) || newest(a, b)
const ORDERS: { readonly [sort: string]: Order } = {
  severity: bySeverity,
  newest,
  oldest: (a, b) => -newest(a, b),
  count: (a, b) => b.duplicates - a.duplicates || newest(a, b),
}
