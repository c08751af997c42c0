import type { AlertRow } from '../messages.js'
import type { Filters } from './route.js'

/** From bad to harmless; what nobody knows comes last. */
const SEVERITIES = ['critical', 'error', 'warning', 'info', 'debug'] as const
const WORDS: { readonly [word: string]: (typeof SEVERITIES)[number] } = {
  fatal: 'critical',
  emergency: 'critical',
  emerg: 'critical',
  alert: 'critical',
  panic: 'critical',
  crit: 'critical',
  critical: 'critical',
  high: 'critical',
  disaster: 'critical',
  err: 'error',
  error: 'error',
  major: 'error',
  warn: 'warning',
  warning: 'warning',
  medium: 'warning',
  minor: 'warning',
  low: 'info',
  notice: 'info',
  info: 'info',
  informational: 'info',
  information: 'info',
  debug: 'debug',
  trace: 'debug',
}

/** How a severity looks: one of five, or `other`. */
export function severityClass(severity: string): string {
  return WORDS[severity.trim().toLowerCase().replace(/[2-4]$/, '')] ?? 'other'
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
  const { severity, host, pipeline, message } = filters
  const words = filters.text.toLowerCase().split(/\s+/).filter(Boolean)
  const isIn = (list: readonly string[], value: string) => list.length === 0 || list.includes(value)
  return alert =>
    isIn(severity, alert.severity) &&
    isIn(host, alert.host) &&
    isIn(pipeline, alert.pipeline) &&
    isIn(message, alert.message) &&
    (words.length === 0 || hasAll(alert, words))
}

function hasAll({ message, line, host, service, severity, pipeline }: AlertRow, words: readonly string[]) {
  const text = `${message}\n${line}\n${host}\n${service}\n${severity}\n${pipeline}`.toLowerCase()
  return words.every(word => text.includes(word))
}

type Order = (a: AlertRow, b: AlertRow) => number

const newest: Order = (a, b) => b.since - a.since || (a.id < b.id ? -1 : 1)
const bySeverity: Order = (a, b) => rank(a.severity) - rank(b.severity) || newest(a, b)
const ORDERS: { readonly [sort: string]: Order } = {
  severity: bySeverity,
  newest,
  oldest: (a, b) => -newest(a, b),
  count: (a, b) => b.count - a.count || newest(a, b),
}
