import {
  type ComponentContext,
  type Extension,
  errorText,
  type FlowObserver,
  type Host,
  nsToMs,
  type PipelinesInUse,
  parseEndpoint,
} from 'tocsin/component'
import {
  authenticatorOf,
  openServerTls,
  type ServerTls,
  serveRequests,
  type WebAnswer,
  type WebRequest,
} from 'tocsin/http'
import type { Alert, AlertHistory } from '#history'
import { alertRow, answerApi } from './api.js'
import { type Assets, loadAssets, pageFolder } from './assets.js'
import type { DashboardConfig } from './config.js'
import { debugPipelines } from './debug-page.js'
import { flowOf, type Look } from './flow.js'
import { type Language, readLanguages } from './languages.js'
import { Live } from './live.js'
import type { Flow, Session } from './messages.js'

/** How often the numbers of the pipelines are looked at while somebody watches. */
const LOOK_MS = 2_000

/** Serves the page over the running collector, and the API that it lives on. */
export class Dashboard implements Extension {
  readonly #context: ComponentContext<DashboardConfig>
  readonly #live: Live
  #host: Host | undefined
  #assets: Assets | undefined
  #languages: readonly Language[] = []
  #tls: ServerTls | undefined
  #server: { close(): Promise<void> } | undefined
  #watched: AlertHistory | undefined
  #unwatch: () => void = () => {}
  #looks: readonly Look[] = []
  #cancelLook: (() => void) | undefined
  #clients = 0

  constructor(context: ComponentContext<DashboardConfig>) {
    this.#context = context
    const { meter, clock, config } = context
    const cuts = meter.createCounter('tocsin_dashboard_refused_clients', {
      description: 'Open pages that were not kept up to date, by reason: too_many, slow.',
    })
    meter
      .createObservableGauge('tocsin_dashboard_clients', {
        description: 'Open pages that are kept up to date.',
      })
      .addCallback(result => result.observe(this.#clients))
    this.#live = new Live({
      clock,
      maxClients: config.max_clients,
      onClients: clients => {
        this.#clients = clients
        if (clients > 0) this.#cancelLook ??= clock.schedule(0, () => void this.#keepLooking())
      },
      onCut: reason => cuts.add(1, { reason }),
    })
  }

  async start(host: Host): Promise<void> {
    const { config, clock, baseDir, oncePerMinute, logger } = this.#context
    const { auth, tls, endpoint, allowed_hosts: hosts } = config
    this.#host = host
    this.#languages = await readLanguages(config.languages, baseDir)
    this.#assets = await loadAssets(pageFolder())
    if (!this.#assets) logger.warn('The page was not built (npm run build): only its API is served.')
    const authenticator = auth && authenticatorOf(this.#context, auth.authenticator, 'authenticate')
    this.#tls = tls && (await openServerTls(tls, this.#context))
    const listener = await this.#context.listen(parseEndpoint(endpoint))
    this.#server = serveRequests({
      listener,
      clock,
      ...(this.#tls && { tls: this.#tls }),
      // Who needs credentials is not fooled by a name.
      ...(authenticator
        ? { authenticator }
        : { hosts: [parseEndpoint(endpoint).host, ...hosts].map(name => name.toLowerCase()) }),
      // A browser asks for a user and a password by itself; the page asks for a token.
      open: /^basic\b/i.test(authenticator?.authenticate({})?.challenge ?? '')
        ? []
        : (this.#assets?.paths ?? ['/']),
      answer: request => this.#answer(request),
      onError: error => oncePerMinute.error('A request failed.', { reason: errorText(error) }),
    })
    logger.info(`The dashboard: ${tls ? 'https' : 'http'}://${reachable(listener.host)}:${listener.port}/`)
  }

  async stop(): Promise<void> {
    this.#cancelLook?.()
    this.#unwatch()
    this.#tls?.stop()
    await this.#server?.close()
  }

  /** A configuration begins to run: its history may be another one. It costs no record anything. */
  observe(_pipelines: PipelinesInUse): FlowObserver {
    const history = this.#history()
    if (history !== this.#watched) {
      this.#unwatch()
      this.#watched = history
      this.#unwatch = history.subscribe(({ alerts, notifications, silences, overflow, counted }) => {
        if (overflow) this.#live.send('reset', null)
        else if (alerts.length > 0)
          this.#live.send(
            'alerts',
            alerts.map(alert => alertRow({ ...alert, silencedBy: silencedNow(history, alert) })),
          )
        if (notifications.length > 0) this.#live.send('notifications', notifications)
        if (silences) this.#live.send('silences', null)
        if (Object.values(counted).some(count => count > 0)) this.#live.send('counted', null)
      })
      this.#live.send('reset', null)
    }
    return {}
  }

  #history(): AlertHistory {
    return this.#context.extension<AlertHistory>(this.#context.config.history)
  }

  async #answer(request: WebRequest): Promise<WebAnswer> {
    const { path } = request
    if (path === '/debug/pipelines') return debugPipelines(request, await this.#flow())
    const { config, clock } = this.#context
    const host = this.#host as Host
    const found = await answerApi(request, {
      history: () => this.#history(),
      session: () => this.#session(),
      language: code => this.#languages.find(each => each.code === code)?.json,
      flow: () => this.#flow(),
      deadLetters: () => host.deadLetters(),
      live: signal => this.#live.listen(signal),
      allowChanges: config.allow_changes,
      now: () => nsToMs(clock.now()),
    })
    return (
      found ??
      this.#assets?.answer(request) ?? {
        code: 404,
        contentType: 'text/plain',
        body: this.#assets
          ? 'There is nothing at this address: the page is at /.\n'
          : 'The page was not built: npm run build.\n',
      }
    )
  }

  #session(): Session {
    const { clock, config } = this.#context
    const { startedAt, version } = (this.#host as Host).status()
    const { collector, limits } = this.#history()
    return {
      version,
      collector,
      startedAt: nsToMs(startedAt),
      now: nsToMs(clock.now()),
      allowChanges: config.allow_changes,
      history: config.history,
      retentionMs: limits.retentionMs,
      maxEntries: limits.maxEntries,
      languages: this.#languages.map(({ code, name }) => ({ code, name })),
    }
  }

  /** Of now, or of the last look while somebody watches. */
  async #flow(): Promise<Flow> {
    if (!this.#cancelLook || this.#looks.length === 0) await this.#look()
    const host = this.#host as Host
    const [before, now = { atMs: 0, points: [] }] =
      this.#looks.length > 1 ? this.#looks : [undefined, this.#looks[0]]
    return {
      now: nsToMs(this.#context.clock.now()),
      ...flowOf(host.graph(), host.status(), now, before),
    }
  }

  async #look(): Promise<void> {
    const points = await (this.#host as Host).metrics()
    this.#looks = [...this.#looks, { atMs: this.#context.clock.monotonicMs(), points }].slice(-2)
  }

  /** While somebody watches: a look every two seconds, for all of them. */
  async #keepLooking(): Promise<void> {
    const { clock, oncePerMinute } = this.#context
    try {
      await this.#look()
      this.#live.send('flow', await this.#flow())
    } catch (error) {
      oncePerMinute.warn('The numbers of the pipelines could not be read.', { reason: errorText(error) })
    }
    this.#cancelLook =
      this.#live.clients > 0 ? clock.schedule(LOOK_MS, () => void this.#keepLooking()) : undefined
  }
}

/** What is told as a change says what was written, which is nothing of silences. */
function silencedNow(history: AlertHistory, { state, labels }: Alert): readonly string[] {
  return state === 'active' ? history.silencedBy(labels) : []
}

/** A browser can go to it. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
