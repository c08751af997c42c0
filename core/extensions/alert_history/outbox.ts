import type { KeyAbout, LogRecord } from 'tocsin/component'
import type { Alert, AlertLine, Notification, Transition } from '#history'
import type { LiveAlert } from './live-alerts.js'

/** A message, with all that its entry is made of. */
export interface Message
  extends Pick<Notification, 'state' | 'attempts' | 'changedAt' | 'reason' | 'answer' | 'silences'> {
  readonly record: LogRecord
  readonly exporter: string
  readonly pipeline: string
  /** `Alert.id`, when it tells of one. */
  readonly alert?: string
  /** ms since the epoch. */
  readonly queuedAt: number
}

/** An alert that began, with the records that made it. */
export interface Begun {
  readonly live: LiveAlert
  readonly record: LogRecord
  /** What its row says, where the processor can tell. */
  readonly written?: KeyAbout['written'] | undefined
  /** The first that accumulated to it. */
  readonly first?: AlertLine
  /** It fired earlier, or elsewhere. */
  readonly adopted?: true
}

/** What one collector has yet to write. */
export interface Unwritten {
  readonly begun: readonly Begun[]
  readonly ended: readonly Alert[]
  readonly transitions: readonly Transition[]
  readonly messages: readonly Message[]
  readonly touched: readonly LiveAlert[]
}

/** Of transitions and messages, each. */
const MOST = 5_000

/** What happened since the last flush; bounded: what comes when it is full is told to `lost`. */
export class Outbox {
  #begun: Begun[] = []
  #ended: Alert[] = []
  #transitions: Transition[] = []
  /** The newest state of each: by exporter, pipeline and record. */
  #messages = new Map<string, Message>()
  #touched = new Set<LiveAlert>()

  constructor(private readonly lost: (what: 'transition' | 'notification') => void) {}

  get hasRoomForMessages(): boolean {
    return this.#messages.size < MOST
  }

  transition(transition: Transition, more: { readonly begun?: Begun; readonly ended?: Alert }): void {
    if (this.#transitions.length >= MOST) {
      this.lost('transition')
      return
    }
    this.#transitions.push(transition)
    if (more.begun) this.#begun.push(more.begun)
    if (more.ended) this.#ended.push(more.ended)
  }

  /** An alert that is seen for the first time after it fired. */
  adopted(begun: Begun): void {
    if (this.#begun.length < MOST) this.#begun.push(begun)
  }

  message(message: Message): void {
    const key = `${message.exporter}\n${message.pipeline}\n${message.record.id}`
    if (!this.#messages.has(key) && !this.hasRoomForMessages) {
      this.lost('notification')
      return
    }
    this.#messages.set(key, message)
  }

  touch(live: LiveAlert): void {
    this.#touched.add(live)
  }

  take(): Unwritten {
    const taken: Unwritten = {
      begun: this.#begun,
      ended: this.#ended,
      transitions: this.#transitions,
      messages: [...this.#messages.values()],
      touched: [...this.#touched],
    }
    this.#begun = []
    this.#ended = []
    this.#transitions = []
    this.#messages = new Map()
    this.#touched = new Set()
    return taken
  }
}
