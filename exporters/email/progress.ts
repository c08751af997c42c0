/** What became of an event's mails so far, by recipient. */
export interface Progress {
  readonly sent: Set<string>
  /** With the reason. */
  readonly refused: Map<string, string>
}

/** Bounded: an event that was given up stays here until others push it out. */
const MAX_EVENTS = 1_000

/**
 * Remembers between the attempts of an event who has its mail already, so that a recipient who was put off does not
 * cost the others a second one.
 */
export class ProgressMemory {
  readonly #events = new Map<string, Progress>()

  of(event: string): Progress {
    return this.#events.get(event) ?? { sent: new Set(), refused: new Map() }
  }

  keep(event: string, progress: Progress): void {
    this.#events.delete(event)
    this.#events.set(event, progress)
    const oldest = this.#events.keys().next()
    if (this.#events.size > MAX_EVENTS && !oldest.done) this.#events.delete(oldest.value)
  }

  forget(event: string): void {
    this.#events.delete(event)
  }
}
