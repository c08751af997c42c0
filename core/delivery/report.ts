/** Records, since it started. */
export interface DeliveryReport {
  readonly delivered: number
  readonly deadLettered: number
  /** Left in the durable queue for the next start. */
  readonly persisted: number
  /** Lost to this process: left in a memory queue, or refused and not kept as dead letters. */
  readonly dropped: number
}

export function sumOf(reports: readonly DeliveryReport[]): DeliveryReport {
  const sum = (field: keyof DeliveryReport): number =>
    reports.reduce((total, report) => total + report[field], 0)
  return {
    delivered: sum('delivered'),
    deadLettered: sum('deadLettered'),
    persisted: sum('persisted'),
    dropped: sum('dropped'),
  }
}
