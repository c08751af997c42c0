import type { AlertRow, Flow, LiveEvents, Notification, Page, Session, Silence } from '../messages.js'
import { collectorNow, data, setClock } from './data.js'
import { figures, filterQuery } from './figures.js'
import { get, listen, RequestFailed } from './http.js'
import { readRoute } from './route.js'

/** Alerts that the page holds: more are counted, not listed. */
const MAX_ALERTS = 50_000
const PAGE_SIZE = 1_000
/** Figures are asked for again at most this often while something happens, and this often when nothing does. */
const FIGURES_MS = 1_000
const IDLE_FIGURES_MS = 15_000
/** How long a tab may be hidden before it stops listening: until another one comes, which may need the connection. */
const HIDDEN_MS = 60_000
const tabs = new BroadcastChannel('tocsin')

/** Loads everything and keeps it fresh, for as long as the page is open. */
export function run(): void {
  addEventListener('hashchange', () => {
    const before = data.get().route
    const route = readRoute(location.hash)
    data.set({ route })
    if (filterQuery(before) !== filterQuery(route)) figures.soon(0)
  })
  setInterval(() => data.set({ now: collectorNow() }), 1_000)
  setInterval(() => figures.soon(0), IDLE_FIGURES_MS)
  void stayConnected()
}

/** After credentials were given. */
export function connectAgain(): void {
  wake()
}

let wake: () => void = () => undefined

async function stayConnected(): Promise<void> {
  for (let failures = 0; ; ) {
    try {
      tabs.postMessage(null)
      const session = await get<Session>('api/session')
      setClock(session.now)
      data.set({ session, now: session.now })
      const leaving = new AbortController()
      // Listening first: what happens while the rest is loaded is not missed.
      const listening = listen('api/live', leaving.signal, (event, text) => {
        failures = 0
        received(event as keyof LiveEvents, text)
      })
      listening.catch(() => undefined)
      await loadAll().catch(error => {
        leaving.abort()
        throw error
      })
      const cancel = whenHidden(() => leaving.abort())
      await listening.finally(cancel)
    } catch (error) {
      failures++
      if (error instanceof RequestFailed && error.status === 401) {
        data.set({ connection: 'denied', refusals: data.get().refusals + 1 })
        await new Promise<void>(resolve => {
          wake = resolve
        })
        continue
      }
      data.set({ trouble: error instanceof RequestFailed && error.status > 0 ? error.message : '' })
    }
    if (document.hidden) await untilVisible()
    data.set({ connection: failures > 1 ? 'lost' : 'connecting' })
    await new Promise<void>(resolve => {
      wake = resolve
      setTimeout(resolve, Math.min(5_000, 500 * (failures + 1)))
    })
  }
}

/** Browsers have six connections to a server for all their tabs: a hidden one gives its own back. */
function whenHidden(leave: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    clearTimeout(timer)
    if (document.hidden) timer = setTimeout(leave, HIDDEN_MS)
  }
  tabs.onmessage = () => {
    if (document.hidden) leave()
  }
  look()
  document.addEventListener('visibilitychange', look)
  return () => {
    clearTimeout(timer)
    tabs.onmessage = null
    document.removeEventListener('visibilitychange', look)
  }
}

/** Meanwhile the title says how many alerts are active. */
async function untilVisible(): Promise<void> {
  while (document.hidden) {
    const page = await get<Page<AlertRow>>('api/alerts?limit=1').catch(() => undefined)
    if (page?.total !== undefined) data.set({ activeTotal: page.total })
    await new Promise<void>(resolve => {
      setTimeout(resolve, IDLE_FIGURES_MS)
      document.addEventListener('visibilitychange', () => resolve(), { once: true })
    })
  }
}

async function loadAll(): Promise<void> {
  figures.soon(0)
  await Promise.all([
    loadActive(),
    get<Flow>('api/pipelines').then(flow => data.set({ flow })),
    loadSilences(),
  ])
}

/** Of each list that is being loaded: alerts that came by the live stream meanwhile, so that the list is older. */
const loads = new Set<Set<string>>()

async function loadActive(): Promise<void> {
  const touched = new Set<string>()
  loads.add(touched)
  await loadPages(touched).finally(() => loads.delete(touched))
}

async function loadPages(touched: ReadonlySet<string>): Promise<void> {
  const alerts = new Map<string, AlertRow>()
  let cursor: string | undefined
  do {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE) })
    if (cursor !== undefined) query.set('cursor', cursor)
    const page = await get<Page<AlertRow>>(`api/alerts?${query}`)
    for (const alert of page.items) if (!touched.has(alert.id)) alerts.set(alert.id, alert)
    cursor = page.next
    for (const id of touched) {
      const newer = data.get().alerts.get(id)
      if (newer) alerts.set(id, newer)
    }
    // What is there already is better than nothing; what is gone goes when all of it is here.
    const known = cursor === undefined ? alerts : new Map([...data.get().alerts, ...alerts])
    data.set({ alerts: known, activeTotal: Math.max(page.total ?? 0, known.size), alertsLoaded: true })
  } while (cursor !== undefined && alerts.size < MAX_ALERTS)
}

export async function loadSilences(): Promise<void> {
  data.set({ silences: await get<readonly Silence[]>('api/silences') })
}

function received(event: keyof LiveEvents, text: string): void {
  const { connection, changes } = data.get()
  if (connection !== 'live') data.set({ connection: 'live', trouble: '' })
  const value = JSON.parse(text)
  switch (event) {
    case 'alerts':
      mergeAlerts(value)
      figures.soon(FIGURES_MS)
      break
    case 'notifications':
      mergeNotifications(value)
      figures.soon(FIGURES_MS)
      break
    case 'counted':
      figures.soon(FIGURES_MS)
      return
    case 'flow':
      setClock(value.now)
      data.set({ flow: value })
      return
    case 'silences':
      void loadSilences().catch(() => undefined)
      void loadActive().catch(() => undefined)
      break
    case 'reset':
      void loadAll().catch(() => undefined)
      break
    default:
      return
  }
  data.set({ changes: changes + 1 })
}

function mergeAlerts(changed: readonly AlertRow[]): void {
  const alerts = new Map(data.get().alerts)
  let { activeTotal } = data.get()
  const begun = changed.filter(({ id, state }) => state === 'active' && !alerts.has(id))
  for (const alert of changed) {
    for (const touched of loads) touched.add(alert.id)
    const was = alerts.has(alert.id)
    const isActive = alert.state === 'active'
    if (isActive) alerts.set(alert.id, alert)
    else alerts.delete(alert.id)
    activeTotal += Number(isActive && !was) - Number(!isActive && was)
  }
  data.set({
    alerts,
    activeTotal: Math.max(activeTotal, alerts.size),
    ...(begun.length > 0 && { begun }),
  })
}

/** Known ones are changed in place; new ones come with the next look at the list, which knows the filters. */
function mergeNotifications(changed: readonly Notification[]): void {
  const { notifications } = data.get()
  if (!notifications) return
  const byId = new Map(changed.map(each => [each.id, each]))
  data.set({
    notifications: {
      ...notifications,
      items: notifications.items.map(each => byId.get(each.id) ?? each),
    },
  })
}
