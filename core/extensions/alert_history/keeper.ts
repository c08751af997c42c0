import { type ComponentContext, durationMs, errorText, type KeyValueStore } from 'tocsin/component'
import type { Alert, HistoryLimits, Notification, Transition } from '#history'
import { changesOf, routeChanges, touchedChanges } from './changes.js'
import type { AlertHistoryConfig } from './config.js'
import type { Episodes } from './episodes.js'
import type { FiguresBook } from './figures.js'
import { backwards } from './keys.js'
import { listed } from './lists.js'
import { type LiveAlert, type LiveAlerts, withNews } from './live-alerts.js'
import { notificationEntry } from './messages.js'
import type { HistoryMetrics } from './metrics.js'
import type { Outbox, Unwritten } from './outbox.js'
import type { Peers } from './peers.js'
import type { Reminders } from './reminders.js'
import type { Retention } from './retention.js'
import type { Silences } from './silences.js'
import { get } from './stored.js'
import type { Subscribers } from './subscribers.js'
import type { Writer } from './writer.js'

export interface KeeperOptions {
  readonly context: Pick<
    ComponentContext<AlertHistoryConfig>,
    'config' | 'clock' | 'oncePerMinute' | 'reportStatus'
  >
  readonly collector: string
  /** Others write to the same storage. */
  readonly shared: boolean
  readonly store: () => KeyValueStore
  readonly now: () => number
  readonly live: LiveAlerts
  readonly outbox: Outbox
  readonly writer: Writer
  readonly episodes: Episodes
  readonly figures: FiguresBook
  readonly silences: Silences
  readonly subscribers: Subscribers
  readonly metrics: HistoryMetrics
  readonly peers: Peers
  readonly limits: HistoryLimits
  readonly retention: Retention
  readonly reminders: Reminders
  /** Of several collectors this one does what one does for all. */
  readonly leads: () => boolean
  /** Brings in what is only counted where it was decided. */
  readonly settle: () => void
}

const HOUSEKEEPING_MS = 60_000
/** Alerts that only had duplicates are written at this pace, so many at a time: who asks has them from memory. */
const TOUCHED_MS = 2_000
const MOST_TOUCHED = 200
/** Transitions that a start looks back at, so that what comes again after a crash is known. */
const KNOWN = 1_000
const MOST_UNROUTED = 5_000
/** What a collector heard is in the storage after this, if that works. */
const UNWRITTEN_MS = 30_000

/** The regular work of a history: writes what happened, hears what others wrote, tells who listens, keeps house. */
export class Keeper {
  readonly #options: KeeperOptions
  readonly #flushMs: number
  /** They have changed and are not written. */
  readonly #touched = new Set<LiveAlert>()
  /** Messages whose routes are not kept yet. */
  #unrouted: Unwritten['messages'] = []
  readonly #elsewhere = new Set<LiveAlert>()
  #loaded = false
  #stopped = false
  #houseAtMs = 0
  #touchedAtMs = 0
  #turn: Promise<void> = Promise.resolve()
  #cancel: () => void = () => undefined

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#flushMs = Math.max(50, durationMs(options.context.config.flush_interval))
  }

  /** A storage that cannot be reached must not keep the collector from starting: it is asked again. */
  async start(): Promise<void> {
    const { clock } = this.#options.context
    this.#houseAtMs = clock.monotonicMs() + HOUSEKEEPING_MS
    await this.#safely(() => this.#load())
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#options.reminders.stop()
    await this.#turn
    await this.#safely(async () => {
      do await this.#write(true)
      while (this.#touched.size > 0)
    })
  }

  /** When what happened until now is written, as far as the storage works; duplicates only where they are wanted. */
  async flushed(duplicates = false): Promise<void> {
    await this.#inTurn(() => this.#write(duplicates))
  }

  async silencesChanged(): Promise<void> {
    const { shared, store, peers, silences, subscribers } = this.#options
    silences.moved()
    subscribers.tell({ silences: true })
    if (shared) await store().write([peers.notice({ alerts: [], entries: [], silences: true })])
  }

  #schedule(): void {
    const { clock } = this.#options.context
    this.#cancel = clock.schedule(this.#flushMs, () => {
      void this.#inTurn(() => this.#round()).then(() => {
        if (!this.#stopped) this.#schedule()
      })
    })
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(() => this.#safely(task))
    return this.#turn
  }

  async #safely(task: () => Promise<void>): Promise<void> {
    const { context, metrics } = this.#options
    try {
      await task()
      context.reportStatus({ status: 'ok' })
    } catch (error) {
      metrics.failed()
      const message = `The storage of the history fails: ${errorText(error)}`
      context.reportStatus({ status: 'recoverable_error', message })
      context.oncePerMinute.warn('The storage of the history fails; what happens waits in memory.', {
        reason: errorText(error),
      })
    }
  }

  async #load(): Promise<void> {
    const { silences, peers, episodes, store } = this.#options
    await silences.load()
    silences.moved()
    await peers.readAll(() => true)
    const { items } = await listed<Transition>(store(), 'e', {}, { limit: KNOWN })
    for (const transition of [...items].reverse()) episodes.know(transition)
    this.#loaded = true
  }

  async #round(): Promise<void> {
    const { context, shared, silences, subscribers, reminders, retention, leads } = this.#options
    if (!this.#loaded) await this.#load()
    await this.#write()
    if (shared) await this.#hear()
    if (silences.moved()) subscribers.tell({ silences: true })
    if (leads()) reminders.run()
    const isDue = context.clock.monotonicMs() >= this.#houseAtMs
    if (isDue || retention.isOver) await this.#keepHouse()
    if (isDue) this.#houseAtMs = context.clock.monotonicMs() + HOUSEKEEPING_MS
  }

  async #write(duplicates = false): Promise<void> {
    const { outbox, writer, metrics, shared, peers, figures, live, collector, store, retention } =
      this.#options
    const { settle, subscribers } = this.#options
    const { clock } = this.#options.context
    const startMs = clock.monotonicMs()
    // Else what repeats is told each second: who asks has it told.
    if (duplicates || subscribers.any) settle()
    const unwritten = outbox.take()
    for (const one of unwritten.touched) this.#touched.add(one)
    if (shared) await this.#findAdopted(unwritten.begun)
    const notifications = unwritten.messages.map(message => notificationEntry(message, collector))
    this.#tell(unwritten, notifications)
    const changes = changesOf(unwritten, notifications, live, this.#elsewhere)
    this.#elsewhere.clear()
    writer.add(changes)
    retention.added(unwritten.transitions.length + notifications.length)
    writer.add(figures.changes())
    this.#unrouted = [...this.#unrouted, ...unwritten.messages].slice(-MOST_UNROUTED)
    const isDue = duplicates || startMs >= this.#touchedAtMs
    if (isDue) this.#touchedAtMs = startMs + TOUCHED_MS
    const touched = isDue ? this.#due() : []
    if (shared && (changes.length > 0 || touched.length > 0)) {
      writer.add([peers.notice(noticeOf(unwritten, notifications, touched))])
    }
    if (writer.waiting === 0 && touched.length === 0 && this.#unrouted.length === 0) return
    if (touched.length > 0) {
      writer.add(await touchedChanges(store(), touched))
      for (const one of touched) this.#touched.delete(one)
    }
    if (this.#unrouted.length > 0) {
      writer.add(await routeChanges(store(), this.#unrouted))
      this.#unrouted = []
    }
    await writer.flush()
    metrics.flushed(clock.monotonicMs() - startMs)
  }

  /** The next to be written. What ended meanwhile was written then. */
  #due(): readonly LiveAlert[] {
    const { live } = this.#options
    const due: LiveAlert[] = []
    for (const one of this.#touched) {
      if (due.length === MOST_TOUCHED) break
      if (live.get(one.id) === one) due.push(one)
      else this.#touched.delete(one)
    }
    return due
  }

  /** An alert that fired on another collector, of which nobody has told this one yet: it is as that one wrote it. */
  async #findAdopted(begun: Unwritten['begun']): Promise<void> {
    const { store } = this.#options
    await Promise.all(
      begun.map(async ({ live, adopted }) => {
        const stored = adopted && (await get<Alert>(store(), `a/${live.alert.id}`).catch(() => undefined))
        if (!stored) return
        live.alert = withNews(stored, live.alert)
        this.#elsewhere.add(live)
      }),
    )
  }

  #tell({ begun, ended, transitions, touched }: Unwritten, notifications: readonly Notification[]): void {
    const { subscribers, live } = this.#options
    if (!subscribers.any) return
    const active = new Map<string, Alert>()
    for (const { live: one } of begun) active.set(one.id, one.alert)
    for (const one of touched) if (live.get(one.id) === one) active.set(one.id, one.alert)
    for (const alert of ended) active.set(alert.id, alert)
    subscribers.tell({ alerts: [...active.values()], transitions, notifications })
  }

  async #hear(): Promise<void> {
    const { peers, episodes, silences, subscribers } = this.#options
    const { alerts, transitions, notifications, silences: moved, more } = await peers.look()
    for (const transition of transitions) episodes.know(transition)
    if (moved || more) await silences.load()
    if (more) await peers.readAll(live => this.#isOwn(live))
    subscribers.tell({ alerts, transitions, notifications, silences: moved, overflow: more })
  }

  async #keepHouse(): Promise<void> {
    const { shared, leads, silences, peers, live, episodes, now, limits, retention, settle } = this.#options
    if (shared) {
      await silences.load()
      await peers.readAll(one => this.#isOwn(one))
    }
    if (!leads()) return
    const old = now() - limits.retentionMs
    settle()
    for (const one of [...live]) if (one.alert.lastAt < old) episodes.end(one, 'stale')
    await silences.trim(old)
    await retention.run()
  }

  /** It may not be in the storage yet. */
  #isOwn(live: LiveAlert): boolean {
    const { writer, now } = this.#options
    return writer.waiting > 0 || this.#touched.has(live) || live.alert.lastAt > now() - UNWRITTEN_MS
  }
}

function noticeOf(
  { begun, ended, transitions }: Unwritten,
  notifications: readonly Notification[],
  touched: readonly LiveAlert[],
): { readonly alerts: readonly string[]; readonly entries: readonly string[] } {
  return {
    alerts: [...begun.map(({ live }) => live), ...touched]
      .map(({ alert }) => alert.id)
      .concat(ended.map(({ id }) => id)),
    entries: [
      ...transitions.map(({ id, at }) => `e/${backwards(at)}/${id}`),
      ...notifications.map(({ id, at }) => `n/${backwards(at)}/${id}`),
    ],
  }
}
