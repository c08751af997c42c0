import { type Attributes, type KeyValueStore, nsToMs, toJson } from 'tocsin/component'
import { placesOf } from 'tocsin/pattern'
import type { Alert, AlertLine, AlertStory, Notification, Transition } from '#history'
import { after, backwards } from './keys.js'
import type { Begun } from './outbox.js'
import { cut, hashOf, line, saidBy, text } from './says.js'
import { entries, get, getAll } from './stored.js'

/** What is kept of how an alert fired. */
export interface StoredStory extends Pick<AlertStory, 'row' | 'attributes' | 'resource'> {
  readonly lines: readonly AlertLine[]
  /** The line that fired it, whole as far as it was matched. */
  readonly text: string
}

const LINE = 8_000
/** As stateful_alert matches it. */
const MATCHED = 16_384
/** Of attributes, as JSON. */
const MOST_ATTRIBUTES = 16_384
const NEWEST = 10
const NOTIFICATIONS = 1_000

export function storyOf({ record, first, written, live: { alert } }: Begun): StoredStory {
  const said = saidBy(record)
  const map = said?.map ?? {}
  const { alert: _, notification: __, ...attributes } = record.attributes
  const fired = {
    at: alert.firedAt,
    time: nsToMs(record.time),
    status: said?.status ?? '',
    text: line(record, LINE),
  }
  return {
    row: {
      severity: text(map, 'severity'),
      message: text(map, 'normalized_message'),
      pattern: text(map, 'pattern_matched', LINE),
      ...(written?.recovery_pattern && { recoveryPattern: cut(written.recovery_pattern, LINE) }),
      ...(written?.alert_schema && { schema: cut(written.alert_schema, LINE) }),
      ...(alert.ruleId !== undefined && { ruleId: alert.ruleId }),
      ...(alert.runbook !== undefined && { runbook: alert.runbook }),
    },
    attributes: bounded(attributes),
    resource: bounded(record.resource.attributes),
    lines: first && first.text !== fired.text ? [first, fired] : [fired],
    text: line(record, MATCHED),
  }
}

/** With one more of the newest lines. */
export function withLine(lines: readonly AlertLine[], next: AlertLine): readonly AlertLine[] {
  return [...lines, next].slice(-NEWEST)
}

/** As the collector told it in which the alert fired, else as another one took it in. */
async function storedStory(store: KeyValueStore, id: string): Promise<StoredStory | undefined> {
  return (await get<StoredStory>(store, `s/${id}`)) ?? get<StoredStory>(store, `t/${id}`)
}

export async function readStory(store: KeyValueStore, alert: Alert): Promise<AlertStory> {
  const { id } = alert
  const [story, newest, transitions, notifications] = await Promise.all([
    storedStory(store, id),
    get<readonly AlertLine[]>(store, `l/${id}`),
    transitionsOf(store, alert),
    notificationsOf(store, id),
  ])
  const row = story?.row ?? { severity: alert.severity, message: alert.message, pattern: '' }
  const end = transitions.find(({ kind }) => kind === 'recovery')
  const last = end ? [{ at: end.at, time: end.eventTime, status: end.kind, text: end.line }] : []
  return {
    alert,
    row,
    why: whyOf(row.pattern, story?.text ?? ''),
    lines: [...(story?.lines ?? []), ...(newest ?? []), ...last],
    transitions,
    notifications,
    attributes: story?.attributes ?? {},
    resource: story?.resource ?? {},
  }
}

async function transitionsOf(
  store: KeyValueStore,
  { id, pipeline, firedAt, endedAt }: Alert,
): Promise<readonly Transition[]> {
  const key = (at: number, kind: string): string => `e/${backwards(at)}/${hashOf([pipeline, id, kind])}`
  return getAll(store, [key(firedAt, 'alert'), ...(endedAt === undefined ? [] : [key(endedAt, 'recovery')])])
}

async function notificationsOf(store: KeyValueStore, id: string): Promise<readonly Notification[]> {
  const keys: string[] = []
  for await (const [key] of entries(store, `i/${id}/`, after(`i/${id}`))) {
    keys.push(`n/${key.slice(`i/${id}/`.length)}`)
    if (keys.length >= NOTIFICATIONS) break
  }
  return getAll(store, keys)
}

function bounded(attributes: Attributes): { readonly [name: string]: unknown } {
  const found: { [name: string]: unknown } = {}
  let size = 0
  for (const [name, value] of Object.entries(attributes)) {
    const json = toJson(value)
    size += name.length + JSON.stringify(json).length
    if (size > MOST_ATTRIBUTES) break
    found[name] = json
  }
  return found
}

/** The mode of the pattern is not known: what stands there literally was meant so, or is found by both. */
function whyOf(pattern: string, line: string): AlertStory['why'] {
  const mode = line.toLowerCase().includes(pattern.toLowerCase()) ? 'contain' : 'regex'
  return { text: line, spans: placesOf({ text: pattern, mode }, line) }
}
