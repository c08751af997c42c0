import type { DeliveryReport } from './types.js'

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
