import { severityNumber } from 'tocsin/component'
import type { Outcome } from './outcome.js'

/**
 * Which alerts are active, as far as this collector knows: from what it decided, and from looking through the store
 * now and then. For the metric alone.
 */
export class ActiveAlerts {
  #labels = new Map<string, string>()
  /** What a look through the store finds, until it is done. */
  #found: Map<string, string> | undefined
  /** A severity whose last alert ended is told as 0. */
  readonly #told = new Set<string>()

  constructor(private readonly limit: number) {}

  note(outcomes: readonly Outcome[]): void {
    for (const { status, key, row, recovered } of outcomes) {
      const raised = (status === 'alert' && !recovered) || status === 'alert_duplicate'
      if (raised) this.#set(key, row.severity)
      else if (status === 'recovery' || status === 'heartbeat_scan') this.#delete(key)
    }
  }

  beginLook(): void {
    this.#found = new Map()
  }

  seen(key: string, severity: string | undefined): void {
    if (severity !== undefined) this.#set(key, severity)
    else this.#delete(key)
  }

  endLook(): void {
    this.#labels = this.#found ?? this.#labels
    this.#found = undefined
  }

  bySeverity(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const label of this.#told) counts.set(label, 0)
    for (const label of this.#labels.values()) counts.set(label, (counts.get(label) ?? 0) + 1)
    return counts
  }

  #set(key: string, severity: string): void {
    const label = severityLabel(severity)
    this.#told.add(label)
    this.#put(this.#labels, key, label)
    if (this.#found) this.#put(this.#found, key, label)
  }

  #put(labels: Map<string, string>, key: string, label: string): void {
    const known = labels.get(key)
    // A storm says it for each of its records.
    if (known !== label && (known !== undefined || labels.size < this.limit)) labels.set(key, label)
  }

  #delete(key: string): void {
    this.#labels.delete(key)
    this.#found?.delete(key)
  }
}

/** Of the severity asked for last: most alerts of a storm have the same. */
let last = { severity: '', label: 'other' }

/** A known word in lower case, or `other`: what users write must not make endless series. */
export function severityLabel(severity: string): string {
  if (severity !== last.severity) last = { severity, label: labelOf(severity) }
  return last.label
}

function labelOf(severity: string): string {
  const word = severity.trim().toLowerCase()
  return severityNumber(word) === 0 ? 'other' : word
}
