import type { ArrivedRequest } from 'tocsin/testing'

/** What a destination was told: the event ids of each subject, in order of arrival. */
export type Told = ReadonlyMap<string, readonly string[]>

/** `subjectOf` names what a notification is about: the line, the incident. */
export function toldBy(requests: readonly ArrivedRequest[], subjectOf: (body: string) => string): Told {
  const told = new Map<string, string[]>()
  for (const { body, headers } of requests) {
    const subject = subjectOf(body)
    const events = told.get(subject)
    const event = String(headers['idempotency-key'])
    if (events) events.push(event)
    else told.set(subject, [event])
  }
  return told
}

export interface Comparison {
  readonly expected: number
  /** Subjects that nobody was told about. */
  readonly lost: readonly string[]
  /** Subjects that should not have raised anything: something was counted twice, or forgotten. */
  readonly unexpected: readonly string[]
  /** Subjects told under more than one event id: a repeat that nobody can recognise. */
  readonly changed: readonly string[]
  /** Notifications that came again under their event id. */
  readonly repeated: number
}

export function compare(expected: ReadonlySet<string>, told: Told): Comparison {
  const subjects = [...told]
  return {
    expected: expected.size,
    lost: [...expected].filter(subject => !told.has(subject)),
    unexpected: subjects.flatMap(([subject]) => (expected.has(subject) ? [] : [subject])),
    changed: subjects.flatMap(([subject, events]) => (new Set(events).size > 1 ? [subject] : [])),
    repeated: subjects.reduce((sum, [, events]) => sum + events.length - new Set(events).size, 0),
  }
}
