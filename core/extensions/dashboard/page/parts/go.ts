import { data } from '../data.js'
import { type Filters, type Route, writeRoute } from '../route.js'

/** Changes the filters: they are in the URL, and the way back leads to the old ones. */
export function setFilters(change: Partial<Filters>): void {
  const { route } = data.get()
  location.hash = writeRoute({ ...route, filters: { ...route.filters, ...change } })
}

/** The address of a view with the filters in force. */
export function linkTo(view: Route['view'], id = ''): string {
  return writeRoute({ view, id, filters: data.get().route.filters })
}

export function open(view: Route['view'], id = ''): void {
  location.hash = linkTo(view, id)
}
