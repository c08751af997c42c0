import type { GraphReport } from '../pipeline/graph-host.js'

/** The exit code when all inputs have ended and not everything was delivered. */
export const NOT_ALL_DELIVERED = 3

/** How many records were not delivered, and where they are now: empty when all were. */
export function undelivered({ exporters, deadLettered, dropped, unsettled }: GraphReport): string {
  const parts: string[] = []
  const say = (count: number, where: string): void => {
    if (count > 0) parts.push(`${count} ${where}`)
  }
  const besides = { deadLettered, dropped }
  for (const [id, report] of exporters) {
    say(report.persisted, `in the durable queue of ${id}`)
    say(report.deadLettered, `kept as dead letters of ${id}`)
    say(report.dropped, `dropped by ${id}`)
    besides.deadLettered -= report.deadLettered
    besides.dropped -= report.dropped
  }
  say(besides.deadLettered, 'kept as dead letters of processors, or before a reload')
  say(besides.dropped, 'dropped by processors, or before a reload')
  // What a queue in memory dropped is unsettled too, and told of above.
  if (dropped === 0) say(unsettled, 'left unsettled with their receivers')
  return parts.join(', ')
}
