import type { Host } from 'tocsin/component'
import {
  type Alert,
  type AlertHistory,
  checkMatcher,
  compileMatchers,
  type Matcher,
  type Silence,
} from '#history'
import { parseMatcher } from './matcher-text.js'
import { configOf, NOBODY, receiversOf } from './routes.js'

/** The version of Alertmanager whose API this is. */
export const API_VERSION = '0.27.0'
/** Alerts end when they end; clients are told a time that is always ahead. */
const RESOLVE_MS = 300_000
const MOST_ALERTS = 20_000

export interface Sources {
  readonly history: AlertHistory
  readonly host: Host
  /** ms since the epoch. */
  readonly now: number
  readonly externalUrl: string | undefined
}

/** A parameter that cannot be read: 400, as Alertmanager words it. */
export class BadParameter extends Error {}

/** `gettableAlert`s, by fingerprint. */
export async function alerts(sources: Sources, query: URLSearchParams): Promise<object[]> {
  const found = await wanted(sources, query)
  return found
    .map(({ alert, receivers }) => shown(sources, alert, receivers))
    .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
}

/** `alertGroup`s: a receiver and a pipeline each. */
export async function groups(sources: Sources, query: URLSearchParams): Promise<object[]> {
  const byReceiver = new Map<string, { receiver: string; pipeline: string; alerts: object[] }>()
  for (const { alert, receivers } of await wanted(sources, query))
    for (const receiver of receivers) {
      const { pipeline } = alert
      const key = JSON.stringify([pipeline, receiver])
      const group = byReceiver.get(key) ?? { receiver, pipeline, alerts: [] }
      group.alerts.push(shown(sources, alert, receivers))
      byReceiver.set(key, group)
    }
  return [...byReceiver]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { receiver, pipeline, alerts }]) => ({
      labels: { pipeline },
      receiver: { name: receiver },
      alerts,
    }))
}

export function receivers({ host }: Sources): object[] {
  return [NOBODY, ...[...host.graph().notifying].sort()].map(name => ({ name }))
}

export function status({ host }: Sources): object {
  const { startedAt, version } = host.status()
  return {
    cluster: { status: 'disabled', peers: [] },
    versionInfo: {
      version: API_VERSION,
      revision: `tocsin-${version}`,
      branch: 'HEAD',
      buildUser: 'tocsin',
      buildDate: '',
      goVersion: '',
    },
    config: { original: configOf(host.graph()) },
    uptime: time(Number(startedAt / 1_000_000n)),
  }
}

export async function silences({ history }: Sources, query: URLSearchParams): Promise<object[]> {
  const filter = matchersOf(query)
  const found = (await history.silences()).filter(({ matchers }) => {
    const labels = Object.fromEntries(matchers.map(({ name, value }) => [name, value]))
    return compileMatchers(filter)(labels)
  })
  return found.map(shownSilence)
}

export function shownSilence({ state, updatedAt, startsAt, endsAt, ...silence }: Silence): object {
  return {
    ...silence,
    startsAt: time(startsAt),
    endsAt: time(endsAt),
    updatedAt: time(updatedAt),
    status: { state },
  }
}

interface Wanted {
  readonly alert: Alert
  readonly receivers: readonly string[]
}

async function wanted({ history, host }: Sources, query: URLSearchParams): Promise<readonly Wanted[]> {
  const isActiveWanted = flag(query, 'active')
  const isSilencedWanted = flag(query, 'silenced')
  // Nothing is inhibited, and nothing unprocessed: their parameters only have to be right.
  flag(query, 'inhibited')
  flag(query, 'unprocessed')
  const isReceiverWanted = receiverTest(query)
  const { items } = await history.active({ matchers: matchersOf(query) }, { limit: MOST_ALERTS })
  const graph = host.graph()
  const known = new Map<string, readonly string[]>()
  return items.flatMap(alert => {
    if (!(alert.silencedBy.length > 0 ? isSilencedWanted : isActiveWanted)) return []
    const receivers = known.get(alert.pipeline) ?? receiversOf(graph, alert.pipeline)
    known.set(alert.pipeline, receivers)
    return receivers.some(isReceiverWanted) ? [{ alert, receivers }] : []
  })
}

function shown({ now, externalUrl }: Sources, alert: Alert, receivers: readonly string[]) {
  const {
    id,
    labels,
    fingerprint,
    firedAt,
    lastAt,
    lastLine,
    message,
    runbook,
    links,
    duplicates,
    silencedBy,
  } = alert
  const annotations = {
    summary: message,
    description: lastLine,
    event_id: id,
    duplicates: String(duplicates),
    ...(runbook !== undefined && { runbook_url: runbook }),
    ...Object.fromEntries(
      links.map(({ title, url }) => [`link_${title.replace(/[^a-zA-Z0-9_]/g, '_')}`, url]),
    ),
  }
  return {
    annotations,
    startsAt: time(firedAt),
    updatedAt: time(lastAt),
    endsAt: time(now + RESOLVE_MS),
    fingerprint,
    receivers: receivers.map(name => ({ name })),
    status: {
      state: silencedBy.length > 0 ? 'suppressed' : 'active',
      silencedBy,
      inhibitedBy: [],
      mutedBy: [],
    },
    labels,
    generatorURL:
      externalUrl === undefined ? '' : `${externalUrl.replace(/\/$/, '')}/#/alert/${encodeURIComponent(id)}`,
  }
}

function matchersOf(query: URLSearchParams): readonly Matcher[] {
  return query.getAll('filter').map(text => {
    try {
      return parseMatcher(text)
    } catch (error) {
      throw new BadParameter((error as Error).message)
    }
  })
}

function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)
  if (value === null || value === '') return true
  // Alertmanager's words in any case, such as Python's True.
  if (/^(true|1|yes|ok|y|on|selected|checked|t|enabled)$/i.test(value)) return true
  if (/^(false|0|no|n|off|f)$/i.test(value)) return false
  throw new BadParameter(`${name} in query must be of type boolean: "${value}"`)
}

/** A regular expression that is to match the whole name of a receiver. */
function receiverTest(query: URLSearchParams): (receiver: string) => boolean {
  const text = query.get('receiver')
  if (text === null || text === '') return () => true
  const matcher: Matcher = { name: 'receiver', value: text, isRegex: true, isEqual: true }
  const problem = checkMatcher(matcher)
  if (problem) throw new BadParameter(`failed to parse receiver param: ${problem}`)
  const matches = compileMatchers([matcher])
  return receiver => matches({ receiver })
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}
