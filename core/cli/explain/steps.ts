import { isDeepStrictEqual } from 'node:util'
import { type Finding, formatRfc3339, type LogRecord, toJson } from '../../component/index.js'
import type { Decision } from '../../rehearsal/index.js'
import type { Row, StepExplained } from './explanation.js'

/** What went into a processor of a pipeline, and what came out. */
export type Step = { readonly incoming: LogRecord[]; readonly outgoing: LogRecord[] }

/** The records that come to the exporters of a pipeline. */
export function arrivedIn(
  pipeline: string,
  processors: readonly string[],
  steps: ReadonlyMap<string, Step>,
  own: readonly LogRecord[],
): readonly LogRecord[] {
  const last = processors.at(-1)
  return last === undefined ? own : (steps.get(keyOf(pipeline, last))?.outgoing ?? [])
}

/** What a processor did, with its rules, what it says of the record, and what it decided. */
export function stepOf(
  processor: string,
  { incoming, outgoing }: Step,
  more: {
    readonly rules: readonly Row[]
    readonly findings: readonly Finding[]
    readonly decisions: readonly Decision[]
  },
): StepExplained {
  const rowOf = (id: string | undefined) => {
    const row = more.rules.find(rule => rule.id === id)
    return row && { row }
  }
  return {
    processor,
    dropped: incoming.length > 0 && outgoing.length === 0,
    changes: incoming.flatMap(before => {
      const after = outgoing.find(({ id }) => id === before.id)
      return after && after !== before ? changesOf(before, after) : []
    }),
    findings: more.findings.map(finding => ({ ...finding, ...rowOf(finding.rule) })),
    decisions: more.decisions
      // A timer that is not due yet.
      .filter(({ event, step }) => event.kind === 'record' || step.outcome !== undefined)
      .map(({ key, about, before, step, event }) => ({
        ...rowOf(about.rule),
        key,
        values: about.values,
        reason: step.reason,
        before: plain(before),
        after: plain(step.state),
        ...(step.episode && { episode: step.episode }),
        ...(step.missing !== undefined && { missing: step.missing }),
        ...(event.kind === 'due' && { timer: true as const }),
      })),
  }
}

function changesOf(before: LogRecord, after: LogRecord): StepExplained['changes'] {
  const [from, to] = [fieldsOf(before), fieldsOf(after)]
  return [...new Set([...from.keys(), ...to.keys()])].flatMap(field =>
    isDeepStrictEqual(from.get(field), to.get(field))
      ? []
      : [
          {
            field,
            ...(from.has(field) && { from: from.get(field) }),
            ...(to.has(field) && { to: to.get(field) }),
          },
        ],
  )
}

function fieldsOf(record: LogRecord): Map<string, unknown> {
  const fields = new Map<string, unknown>([['body', toJson(record.body)]])
  if (record.timestamp) fields.set('timestamp', formatRfc3339(record.timestamp))
  if (record.severityText) fields.set('severity_text', record.severityText)
  if (record.severityNumber) fields.set('severity_number', record.severityNumber)
  for (const [prefix, map] of [
    ['attributes', record.attributes],
    ['resource.attributes', record.resource.attributes],
  ] as const)
    for (const [name, value] of Object.entries(map))
      fields.set(`${prefix}[${JSON.stringify(name)}]`, toJson(value))
  return fields
}

/** Larger integers of a state are times, in ns since the epoch. */
const LEAST_TIME = 10n ** 17n

/** A state for people, without what is empty. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value > LEAST_TIME ? formatRfc3339(value) : Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]) =>
      item === undefined || (Array.isArray(item) && item.length === 0) ? [] : [[name, plain(item)]],
    ),
  )
}

/** Of a step: names have any character. */
export function keyOf(pipeline: string, processor: string): string {
  return JSON.stringify([pipeline, processor])
}
