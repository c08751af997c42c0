import type { AlertStory, Notification, Silence } from '../../toolkit/history/index.js'
import { escaped } from '../escaped.js'
import type { Decided, Explanation, ExporterExplained, Row, StepExplained } from './explanation.js'

/** So much of a line around what matches. */
const AROUND = 120
const MAX_VALUE = 300

/** For people. What matches stands between » and «. */
export function textOf(found: Explanation): string {
  const { happened, at, receiver, record, pipelines, state, problems } = found
  const lines: string[] = []
  if (happened) lines.push(...happenedLines(happened), '')
  lines.push(`${happened ? 'The same line, if it came now' : 'The line'}: as of ${at}, through ${receiver}`)
  if (record) {
    const { at: _, ...fields } = record
    lines.push(`  record: ${value(fields)}`)
  } else lines.push('  the receiver drops it')
  lines.push(...(state.length > 0 ? state : ['no storage is configured']).map(note => `  state in ${note}`))
  for (const { pipeline, steps, exporters } of pipelines) {
    lines.push('', `Pipeline ${pipeline}`)
    for (const step of steps) lines.push(...stepLines(step))
    for (const exporter of exporters) lines.push(...exporterLines(exporter))
    if (exporters.length === 0) lines.push('  nothing comes to an exporter')
  }
  if (record && pipelines.length === 0) lines.push('', 'It came to no pipeline.')
  for (const problem of problems) lines.push('', `Problem: ${problem}`)
  return lines.map(escaped).join('\n')
}

function happenedLines({ alert, row, why, notifications, silences }: NonNullable<Explanation['happened']>) {
  const end =
    alert.state === 'active'
      ? `active, ${alert.duplicates} more since`
      : `ended ${time(alert.endedAt)} (${alert.endReason}), ${alert.duplicates} more until then`
  return [
    `What happened: ${alert.id}`,
    `  fired ${time(alert.firedAt)} in ${alert.pipeline} by ${alert.processor} on ${alert.collector}; ${end}`,
    `  row ${JSON.stringify(row.message || row.pattern)}${row.ruleId === undefined ? '' : ` (${row.ruleId})`}, severity ${row.severity}: pattern ${JSON.stringify(row.pattern)}`,
    `    ${marked(why.text, why.spans)}`,
    ...(notifications.length === 0 ? ['  nobody was told: there is no notification of it'] : []),
    ...[...notifications].reverse().map(notificationLine),
    ...silences.map(one => `  ${silenceLine(one)}`),
  ]
}

function notificationLine(one: Notification): string {
  const { at, changedAt, exporter, tells, state, attempts, reason, answer, silences = [] } = one
  const tried = attempts > 0 ? ` after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}` : ''
  const by = silences.length > 0 ? ` by ${silences.join(', ')}` : ''
  const because = reason === undefined ? '' : `: ${reason}${by}`
  const said = answer ? `; the answer: ${answer}` : ''
  return `  ${time(at)} ${exporter}: ${tells || 'message'} ${state} ${time(changedAt)}${tried}${because}${said}`
}

function stepLines(step: StepExplained): string[] {
  const { processor, dropped, findings, decisions, changes } = step
  const short = decisions.map(({ reason, row }) => (row ? `${reason} (${rowName(row)})` : reason)).join(', ')
  const did = [
    ...(short === '' ? [] : [short]),
    ...(dropped ? ['DROPS it'] : changes.length > 0 ? [] : ['passes it on as it is']),
  ]
  return [
    `  ${processor}: ${did.join('; ') || 'changes it'}`,
    ...findings.flatMap(findingLines),
    ...decisions.flatMap(decisionLines),
    ...changes.map(({ field, from, to }) =>
      to === undefined
        ? `    - ${field}`
        : `    ${from === undefined ? '+' : '~'} ${field} = ${value(to)}${from === undefined ? '' : ` (was ${value(from)})`}`,
    ),
  ]
}

function findingLines({ kind, part, why, text, spans, row }: StepExplained['findings'][number]): string[] {
  const where = row ? `${rowPlace(row)} ${JSON.stringify(row.name)}, ` : ''
  return [
    `    ${kind} ${where}${part}${why === undefined ? '' : `: ${why}`}`,
    ...(text !== undefined && spans && spans.length > 0 ? [`      ${marked(text, spans)}`] : []),
  ]
}

function decisionLines(decided: Decided): string[] {
  const { key, values, before, after, reason, episode, missing = 0, timer, row } = decided
  const within = row?.windowMs === undefined ? '' : ` within ${row.windowMs / 1_000} s`
  const more = [
    ...(timer ? ['by a timer that was due'] : []),
    ...(episode ? [`an episode ${episode}`] : []),
    ...(missing > 0 ? [`${missing} more like it${within} would begin an episode`] : []),
  ]
  return [
    `    decides ${reason}${more.length > 0 ? `: ${more.join(', ')}` : ''}`,
    `      key ${key}${values === '' || values === key ? '' : ` (${values})`}`,
    `      state before: ${before === undefined ? 'none' : value(before)}`,
    `      state after: ${after === undefined ? 'none' : value(after)}`,
  ]
}

function exporterLines({
  exporter,
  sent,
  reason,
  why,
  silences = [],
  notification,
  record,
}: ExporterExplained) {
  if (!sent) {
    const because = [reason, why].filter(Boolean).join(': ')
    return [`  ${exporter}: NOT SENT, ${because}`, ...silences.map(one => `    ${silenceLine(one)}`)]
  }
  if (!notification) return [`  ${exporter}: would get ${value(record)}`]
  const { title, body, request } = notification
  return [
    `  ${exporter}: would send ${JSON.stringify(title)}`,
    ...String(body)
      .split('\n')
      .map(line => `    ${line}`),
    ...(request === undefined ? [] : [`    request: ${value(request, 2_000)}`]),
  ]
}

function silenceLine({ id, createdBy, comment, endsAt, matchers }: Silence): string {
  const wanted = matchers.map(
    ({ name, value, isRegex, isEqual }) =>
      `${name}${isEqual ? (isRegex ? '=~' : '=') : isRegex ? '!~' : '!='}${JSON.stringify(value)}`,
  )
  return `silence ${id} by ${createdBy}, until ${time(endsAt)}: {${wanted.join(', ')}} ${JSON.stringify(comment)}`
}

function rowName(row: Row): string {
  return row.ruleId ?? row.name
}

function rowPlace({ file, line }: Row): string {
  if (file !== undefined) return line === undefined ? file : `${file}:${line}`
  return line === undefined ? 'rule' : `row ${line}`
}

/** The text with what matches between » and «, cut around it. */
export function marked(text: string, spans: AlertStory['why']['spans'] = []): string {
  const first = spans[0]?.[0] ?? 0
  const begin = Math.max(0, first - AROUND)
  let shown = begin > 0 ? '…' : ''
  let done = begin
  for (const [from, to] of spans) {
    if (from < done) continue
    shown += `${text.slice(done, from)}»${text.slice(from, to)}«`
    done = to
  }
  const end = Math.min(text.length, done + AROUND)
  return `${shown}${text.slice(done, end)}${end < text.length ? '…' : ''}`
}

function value(item: unknown, most = MAX_VALUE): string {
  const text = JSON.stringify(item) ?? ''
  return text.length > most ? `${text.slice(0, most)}…` : text
}

function time(ms: number | undefined): string {
  return ms === undefined ? 'some time ago' : new Date(ms).toISOString()
}
