import type { AlertRow, Flow, Notification, Page, Session, Silence, Summary } from '../messages.js'
import { type Route, readRoute } from './route.js'
import { createStore } from './store.js'

export interface Data {
  readonly route: Route
  readonly session: Session | undefined
  /** `denied`: credentials are wanted. */
  readonly connection: 'connecting' | 'live' | 'lost' | 'denied'
  /** By the collector's clock, each second. */
  readonly now: number
  /** Active ones, by episode; a new map whenever something changed. */
  readonly alerts: ReadonlyMap<string, AlertRow>
  /** All that are active, whether they are here or not. */
  readonly activeTotal: number
  readonly alertsLoaded: boolean
  /** What ended in the time range. */
  readonly ended: readonly AlertRow[] | undefined
  /** More ended than are here. */
  readonly endedMore: boolean
  readonly summary: Summary | undefined
  readonly notifications: Page<Notification> | undefined
  readonly flow: Flow | undefined
  readonly silences: readonly Silence[] | undefined
  /** Alerts that began while the page was open, by the newest change: for who hears the page. */
  readonly begun: readonly AlertRow[]
  /** Grows with what happens: for views that load something of their own. */
  readonly changes: number
  readonly trouble: string
  /** Why figures, notifications or ended alerts could not be read: what is shown of them is old. */
  readonly stale: string
  /** How often credentials were refused. */
  readonly refusals: number
}

export const data = createStore<Data>({
  route: readRoute(location.hash),
  session: undefined,
  connection: 'connecting',
  now: Date.now(),
  alerts: new Map(),
  activeTotal: 0,
  alertsLoaded: false,
  ended: undefined,
  endedMore: false,
  summary: undefined,
  notifications: undefined,
  flow: undefined,
  silences: undefined,
  begun: [],
  changes: 0,
  trouble: '',
  stale: '',
  refusals: 0,
})

/** The time by the collector's clock, in ms since the epoch. */
export function collectorNow(): number {
  return Date.now() + ahead
}

/** `now`: of the collector, which this computer's clock may differ from. */
export function setClock(now: number): void {
  ahead = now - Date.now()
}

let ahead = 0
