import { errorText, type Logger } from 'tocsin/component'
import type { HistoryChanges } from '#history'
import { type Counted, noSums } from './counts.js'

/** Of each kind, in one call. */
const MOST = 1_000

type News = Partial<Omit<HistoryChanges, 'counted'>>

/** Who is told of changes. While there is nobody, nothing is gathered. */
export class Subscribers {
  readonly #listeners = new Set<(changes: HistoryChanges) => void>()
  #counted = noSums()

  constructor(private readonly logger: Logger) {}

  add(listener: (changes: HistoryChanges) => void): () => void {
    const own = (changes: HistoryChanges): void => listener(changes)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  get any(): boolean {
    return this.#listeners.size > 0
  }

  counted(what: Counted, count: number): void {
    if (this.any) this.#counted[what] += count
  }

  tell({
    alerts = [],
    transitions = [],
    notifications = [],
    silences = false,
    overflow = false,
  }: News): void {
    const counted = this.#counted
    const anything = alerts.length + transitions.length + notifications.length > 0 || silences || overflow
    const sums = Object.values(counted).some(count => count > 0)
    if (!anything && !sums) return
    this.#counted = noSums()
    const changes: HistoryChanges = {
      alerts: alerts.slice(0, MOST),
      transitions: transitions.slice(0, MOST),
      notifications: notifications.slice(0, MOST),
      silences,
      counted,
      overflow: overflow || [alerts, transitions, notifications].some(list => list.length > MOST),
    }
    for (const listener of this.#listeners) {
      try {
        listener(changes)
      } catch (error) {
        this.logger.error('Somebody who watches the alert history failed.', { reason: errorText(error) })
      }
    }
  }
}
