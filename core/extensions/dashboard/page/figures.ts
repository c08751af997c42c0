import type { AlertRow, Notification, Page, Summary, Transition } from '../messages.js'
import { collectorNow, data } from './data.js'
import { get, RequestFailed } from './http.js'
import { filterPairs, type Route, rangeOf } from './route.js'

const MAX_ENDED = 1_000
/** Of lists that a narrow filter finds little in: the collector looks at some thousand entries for a page. */
const MAX_PAGES = 10
export const MAX_NOTIFICATIONS = 1_000
/** What could not be read is asked for again after this. */
const FAILED_MS = 3_000

/** Figures, ended alerts and notifications of the time range and the filters: whatever they say now. */
export const figures = (() => {
  let timer: ReturnType<typeof setTimeout> | undefined
  let at = 0
  let asking: AbortController | undefined
  let last = 0
  const ask = async (): Promise<void> => {
    timer = undefined
    last = performance.now()
    asking?.abort()
    asking = new AbortController()
    const { signal } = asking
    const { route } = data.get()
    const query = filterQuery(route)
    const wanted: Promise<void>[] = [
      get<Summary>(`api/summary?${query}`, signal).then(summary => data.set({ summary })),
      newest<Notification>(`api/notifications?${query}`, notificationCount(), signal).then(notifications =>
        data.set({ notifications }),
      ),
    ]
    if (route.filters.state === 'ended')
      wanted.push(
        newest<Transition>(`api/transitions?${query}&kind=recovery`, MAX_ENDED, signal).then(
          ({ items, next }) => data.set({ ended: items.map(endedRow), endedMore: next !== undefined }),
        ),
      )
    try {
      await Promise.all(wanted)
      data.set({ stale: '' })
    } catch (error) {
      if (signal.aborted) return
      // Without an answer it is the connection, which says so by itself.
      const isAnswer = error instanceof RequestFailed && error.status > 0
      data.set({ stale: isAnswer ? error.message : '' })
      if (isAnswer) figures.soon(FAILED_MS)
    }
  }
  return {
    /** Asks after `ms`, or sooner when that was wanted before. */
    soon(ms: number): void {
      const when = Math.max(performance.now() + (ms === 0 ? 0 : 100), ms === 0 ? 0 : last + ms)
      if (timer !== undefined && at <= when) return
      clearTimeout(timer)
      at = when
      timer = setTimeout(() => void ask(), when - performance.now())
    },
  }
})()

/** As many as are wanted, from as many pages as they are on. */
async function newest<T>(path: string, wanted: number, signal: AbortSignal): Promise<Page<T>> {
  const items: T[] = []
  let next: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const cursor = next === undefined ? '' : `&cursor=${encodeURIComponent(next)}`
    const page = await get<Page<T>>(`${path}&limit=${wanted - items.length}${cursor}`, signal)
    items.push(...page.items)
    next = page.next
    if (next === undefined || items.length >= wanted) break
  }
  return { items, ...(next !== undefined && { next }) }
}

/** An alert as its end tells of it. */
function endedRow(end: Transition): AlertRow {
  const { alert: id, severity, message, pipeline, host, collector, at, lastedMs = 0, count = 0, line } = end
  return {
    ...{ id, severity, message, pipeline, host, collector },
    state: 'ended',
    service: '',
    firedAt: at - lastedMs,
    lastAt: at,
    endedAt: at,
    duplicates: count,
    lastLine: line,
    silencedBy: [],
  }
}

let notificationsWanted = 100

function notificationCount(): number {
  return notificationsWanted
}

export function moreNotifications(): void {
  notificationsWanted = Math.min(MAX_NOTIFICATIONS, notificationsWanted * 3)
  figures.soon(0)
}

export function filterQuery({ filters }: Route): string {
  const query = new URLSearchParams(filterPairs(filters).filter(([name]) => name !== 'range'))
  const { from, to } = rangeOf(filters.range, collectorNow())
  query.set('from', String(Math.round(from)))
  query.set('to', String(Math.round(to)))
  return query.toString()
}
