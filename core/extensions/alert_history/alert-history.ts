import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import {
  type ComponentContext,
  durationMs,
  type Extension,
  type FlowObserver,
  type Host,
  type KeyValueStore,
  nsToMs,
  type PipelinesInUse,
  type StorageExtension,
} from 'tocsin/component'
import type {
  Alert,
  AlertHistory,
  AlertStory,
  Figures,
  HistoryChanges,
  HistoryFilter,
  HistoryLimits,
  Labels,
  Notification,
  NotificationFilter,
  Page,
  PageRequest,
  Silence,
  SilenceFields,
  Timeline,
  Top,
  Transition,
  TransitionFilter,
} from '#history'
import { LeaseKeeper } from '#state'
import type { AlertHistoryConfig } from './config.js'
import type { Counted, Subject } from './counts.js'
import { Episodes } from './episodes.js'
import { FINE_KEPT_MS, FiguresBook } from './figures.js'
import { Flow } from './flow.js'
import { Keeper } from './keeper.js'
import { listed, pageOfAlerts, wantsAlert } from './lists.js'
import { LiveAlerts, type StoredAlert } from './live-alerts.js'
import { historyMetrics } from './metrics.js'
import { Outbox } from './outbox.js'
import { Peers } from './peers.js'
import { Reminders } from './reminders.js'
import { Retention } from './retention.js'
import { Silences } from './silences.js'
import { get } from './stored.js'
import { readStory } from './stories.js'
import { Subscribers } from './subscribers.js'
import { Writer } from './writer.js'

/** Microseconds. */
const CLOCK_SET_BACK = 1_000_000

/** The alert_history extension: takes in what flows, keeps it, and answers questions. */
export class StoredAlertHistory implements Extension, AlertHistory {
  readonly collector: string
  readonly limits: HistoryLimits
  readonly #context: ComponentContext<AlertHistoryConfig>
  readonly #live: LiveAlerts
  readonly #silences: Silences
  readonly #figures: FiguresBook
  readonly #episodes: Episodes
  readonly #flow: Flow
  readonly #subscribers: Subscribers
  readonly #outbox: Outbox
  readonly #writer: Writer
  readonly #metrics
  #host: Host | undefined
  #keeper: Keeper | undefined
  #lease: LeaseKeeper | undefined
  #peers: Peers | undefined
  #kv: KeyValueStore | undefined
  /** The last time that `stamp` gave, microseconds. */
  #stamped = 0

  constructor(context: ComponentContext<AlertHistoryConfig>) {
    const { config } = context
    this.#context = context
    this.collector = config.collector ?? hostname()
    this.limits = {
      retentionMs: durationMs(config.retention),
      maxEntries: config.max_entries,
      fineMs: FINE_KEPT_MS,
    }
    const store = (): KeyValueStore => this.#store
    const now = (): number => this.#now()
    // Not from the injected randomness: two collectors with one seed are two.
    const run = randomUUID().slice(0, 8)
    this.#live = new LiveAlerts(config.max_active)
    this.#silences = new Silences(store, now)
    this.#figures = new FiguresBook(store, now, run)
    this.#subscribers = new Subscribers(context.oncePerMinute)
    this.#metrics = historyMetrics(context.meter, () => ({
      active: this.#live.size,
      waiting: this.#writer.waiting,
    }))
    this.#outbox = new Outbox(what => this.#metrics.lost(what))
    this.#writer = new Writer(store, changes => this.#metrics.lost('write', changes))
    this.#run = run
    const common = {
      outbox: this.#outbox,
      labels: config.labels,
      now,
      stamp: () => this.#stamp(),
      count: (subject: Subject, what: Counted, count: number) => {
        this.#figures.count(subject, what, count)
        this.#subscribers.counted(what, count)
      },
    }
    this.#episodes = new Episodes({
      ...common,
      live: this.#live,
      collector: this.collector,
      tooMany: () => this.#metrics.lost('active_alert'),
    })
    this.#flow = new Flow({
      ...common,
      episodes: this.#episodes,
      hasSilences: () => this.#silences.any,
      silencedBy: labels => this.#silences.of(labels),
      makesAlerts: id =>
        id === 'stateful_alert' || id.startsWith('stateful_alert/') || config.processors.includes(id),
    })
  }

  readonly #run: string

  async start(host: Host): Promise<void> {
    const { config, clock, random, oncePerMinute } = this.#context
    const { storage } = config
    this.#host = host
    this.#kv = this.#context.storage(storage)
    const provider =
      storage === undefined ? undefined : this.#context.extension<StorageExtension>(storage).storage
    const shared = provider?.shared ?? false
    const lease = provider?.lease?.(`extension/${this.#context.id}`)
    this.#lease = lease && new LeaseKeeper(lease, { clock, random })
    this.#peers = new Peers(
      () => this.#store,
      () => this.#now(),
      this.#run,
      this.#live,
    )
    const store = (): KeyValueStore => this.#store
    this.#keeper = new Keeper({
      context: this.#context,
      collector: this.collector,
      shared,
      store,
      now: () => this.#now(),
      live: this.#live,
      outbox: this.#outbox,
      writer: this.#writer,
      episodes: this.#episodes,
      figures: this.#figures,
      silences: this.#silences,
      subscribers: this.#subscribers,
      metrics: this.#metrics,
      peers: this.#peers,
      limits: this.limits,
      retention: new Retention({
        store,
        now: () => this.#now(),
        retentionMs: this.limits.retentionMs,
        maxEntries: this.limits.maxEntries,
        shared,
      }),
      reminders: new Reminders({
        host,
        silences: this.#silences,
        live: this.#live,
        store,
        logger: oncePerMinute,
      }),
      leads: () => !this.#lease || this.#lease.term !== undefined,
      settle: () => host.tellRepeats(),
    })
    await this.#keeper.start()
    // Whoever has it does what one of several does; nobody waits for it.
    void this.#lease?.start()
  }

  async stop(): Promise<void> {
    await this.#keeper?.stop()
    await this.#lease?.close()
  }

  observe(_pipelines: PipelinesInUse): FlowObserver {
    const { exporters } = this.#context.config
    return this.#flow.observer([...(this.#host?.graph().notifying ?? []), ...exporters])
  }

  async active(filter: HistoryFilter = {}, page: PageRequest = {}): Promise<Page<Alert>> {
    this.#host?.tellRepeats()
    const alerts = this.#live.sorted().map(({ alert }) => alert)
    const found = pageOfAlerts(alerts, filter, page)
    return { ...found, items: found.items.map(alert => this.#told(alert)) }
  }

  async alert(id: string): Promise<AlertStory | undefined> {
    await this.#keeper?.flushed(true)
    const alert = this.#live.get(id)?.alert ?? (await get<Alert>(this.#store, `x/${id}`))
    return alert && readStory(this.#store, this.#told(alert))
  }

  async transitions(filter: TransitionFilter = {}, page: PageRequest = {}): Promise<Page<Transition>> {
    await this.#keeper?.flushed()
    return listed<Transition>(this.#store, 'e', filter, page)
  }

  async notifications(filter: NotificationFilter = {}, page: PageRequest = {}): Promise<Page<Notification>> {
    await this.#keeper?.flushed()
    return listed<Notification>(this.#store, 'n', filter, page)
  }

  async figures(filter: HistoryFilter = {}): Promise<Figures> {
    this.#host?.tellRepeats()
    const { from: _, to: __, ...timeless } = filter
    const isWanted = wantsAlert(timeless)
    let active = 0
    for (const { alert } of this.#live) if (isWanted(alert)) active++
    return { ...(await this.#figures.figures(filter)), active }
  }

  timeline(filter: HistoryFilter & { readonly from: number }, stepMs: number): Promise<Timeline> {
    this.#host?.tellRepeats()
    return this.#figures.timeline(filter, stepMs)
  }

  top(by: 'severity' | 'message' | 'host', filter: HistoryFilter = {}, limit?: number): Promise<Top> {
    return this.#figures.top(by, filter, limit)
  }

  async silences(): Promise<readonly Silence[]> {
    return this.#silences.list()
  }

  async silence(id: string): Promise<Silence | undefined> {
    return this.#silences.get(id)
  }

  async setSilence(fields: SilenceFields & { readonly id?: string }): Promise<Silence> {
    const silence = await this.#silences.set(fields)
    await this.#keeper?.silencesChanged()
    return silence
  }

  async expireSilence(id: string): Promise<void> {
    await this.#silences.expire(id)
    await this.#keeper?.silencesChanged()
  }

  silencedBy(labels: Labels): readonly string[] {
    return this.#silences.of(labels)
  }

  subscribe(listener: (changes: HistoryChanges) => void): () => void {
    return this.#subscribers.add(listener)
  }

  get #store(): KeyValueStore {
    if (!this.#kv) throw new TypeError('The alert history has not started.')
    return this.#kv
  }

  #now(): number {
    return Math.floor(nsToMs(this.#context.clock.now()))
  }

  #stamp(): number {
    const now = Math.floor(nsToMs(this.#context.clock.now()) * 1_000)
    // In their order, unless the clock was set back: what happens now is not of a time to come.
    this.#stamped = now < this.#stamped - CLOCK_SET_BACK ? now : Math.max(now, this.#stamped + 1)
    return this.#stamped / 1_000
  }

  #told({ adopted: _, ...alert }: StoredAlert): Alert {
    const silencedBy = alert.state === 'active' && this.#silences.any ? this.#silences.of(alert.labels) : []
    return silencedBy.length === 0 ? alert : { ...alert, silencedBy }
  }
}
