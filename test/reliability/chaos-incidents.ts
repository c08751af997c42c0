import type { Random } from 'tocsin/component'
import { sleep } from './chaos-source.js'
import type { FaultyDestination } from './faulty-destination.js'
import { type Comparison, compare } from './told-once.js'

/** What was told of the incidents of a run. */
export interface IncidentsTold extends Comparison {
  /** Incidents told of again though they were answered with 200, and nothing was killed since they came up. */
  readonly needless: readonly string[]
  /** Incidents told of under another event id, because a Redis that was away could not say that they were known. */
  readonly decidedApart: number
  /** Of each incident told under too many ids: under which, and in which lives of the collectors. */
  readonly apart: readonly string[]
}

const LOOK_MS = 100
/** In looks, not in time: a machine that does much else looks later, and needs the patience. */
const QUIET_LOOKS = 600

/** Lines, one in five of them of an incident, each incident several times over. */
export function incidentLines(count: number, random: Random): { lines: string[]; incidents: Set<string> } {
  const incidents = new Set<string>()
  const lines = Array.from({ length: count }, (_, n) => {
    if (random() > 0.2) return `n=${n} all is well`
    const incident = `i${Math.floor((random() * count) / 25)}`
    incidents.add(incident)
    return `n=${n} incident=${incident} is on`
  })
  return { lines, incidents }
}

export function incidentOf(line: string): string | undefined {
  return /incident=(\w+)/.exec(line)?.[1]
}

/** Resolves when all are told of, or when nothing more comes though all processes run. */
export async function heard(
  destination: FaultyDestination,
  incidents: ReadonlySet<string>,
  allRun: () => boolean,
): Promise<void> {
  let quiet = 0
  let received = 0
  while (quiet < QUIET_LOOKS) {
    const told = new Set(destination.received.filter(({ taken }) => taken).map(({ body }) => subjectOf(body)))
    if ([...incidents].every(incident => told.has(incident))) return
    await sleep(LOOK_MS)
    quiet = destination.received.length > received || !allRun() ? 0 : quiet + 1
    received = destination.received.length
  }
}

/**
 * What is queued when a process is killed is delivered from the queue, and again when its source did not have its checkpoint
 * yet: so only what came up in the same life must not come again. Of several collectors (no `cameUpIn`) any may repeat what
 * one that was paused or killed had told.
 *
 * A life that goes on without Redis does not know what it has not touched, nor what one before it decided alone, and may tell
 * of each incident once more; what it told of it keeps a copy of. So an incident has as many event ids as there were such lives
 * (`livesApart`), and one. A machine that does much else makes more of them: a restart takes long enough to meet the next outage.
 */
export function incidentsTold(
  { received }: FaultyDestination,
  incidents: ReadonlySet<string>,
  cameUpIn: ReadonlyMap<string, number> | undefined,
  livesApart: number,
): IncidentsTold {
  const told = new Map<string, string[]>()
  const lives = new Map<string, string[]>()
  const acknowledged = new Set<string>()
  const needless: string[] = []
  for (const { body, event, life, taken, acknowledged: ok } of received) {
    const subject = subjectOf(body)
    if (acknowledged.has(event) && cameUpIn?.get(subject) === life) needless.push(subject)
    if (ok) acknowledged.add(event)
    if (!taken) continue
    told.set(subject, [...(told.get(subject) ?? []), event])
    lives.set(subject, [...(lives.get(subject) ?? []), `${event} in life ${life}`])
  }
  const comparison = compare(incidents, told)
  const many = comparison.changed.filter(subject => new Set(told.get(subject)).size > 1 + livesApart)
  const apart = many.map(
    subject =>
      `${subject}, which came up in life ${cameUpIn?.get(subject)}: ${lives.get(subject)?.join(', ')}; ` +
      `${livesApart} lives went on without Redis`,
  )
  const decidedApart = comparison.changed.length - many.length
  return { ...comparison, changed: many, decidedApart, apart, needless }
}

function subjectOf(body: string): string {
  return String(JSON.parse(body).incident)
}
