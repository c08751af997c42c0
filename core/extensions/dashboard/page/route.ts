/** Where one is on the page, and what is filtered: all of it is in the fragment of the URL. */
export interface Route {
  readonly view: string
  /** Of an alert. */
  readonly id: string
  readonly filters: Filters
}

/** What is shown. Empty lists and texts filter nothing. */
export interface Filters {
  readonly severity: readonly string[]
  readonly host: readonly string[]
  readonly pipeline: readonly string[]
  readonly text: string
  /** A span that ends now such as `6h`, or `FROM-TO` in ms since the epoch. */
  readonly range: string
  readonly state: 'active' | 'ended'
  readonly sort: string
}

export const VIEWS = ['alerts', 'notifications', 'pipelines', 'silences', 'alert'] as const
export const RANGES = ['15m', '1h', '6h', '24h', '7d', '30d'] as const
export const SORTS = ['severity', 'newest', 'oldest', 'count'] as const
export const LISTS = ['severity', 'host', 'pipeline'] as const

export const NO_FILTERS: Filters = {
  severity: [],
  host: [],
  pipeline: [],
  text: '',
  range: '1h',
  state: 'active',
  sort: 'severity',
}

export function readRoute(fragment: string): Route {
  const [, path = '', query = ''] = /^#?\/?([^?]*)\??(.*)$/s.exec(fragment) ?? []
  const [view = '', id = ''] = path.split('/')
  const given = new URLSearchParams(query)
  const range = given.get('range') ?? ''
  const sort = given.get('sort') ?? ''
  return {
    view: (VIEWS as readonly string[]).includes(view) ? view : 'alerts',
    id: decoded(id),
    filters: {
      severity: given.getAll('severity'),
      host: given.getAll('host'),
      pipeline: given.getAll('pipeline'),
      text: given.get('text') ?? '',
      range: isRange(range) ? range : NO_FILTERS.range,
      state: given.get('state') === 'ended' ? 'ended' : 'active',
      sort: (SORTS as readonly string[]).includes(sort) ? sort : NO_FILTERS.sort,
    },
  }
}

export function writeRoute({ view, id, filters }: Route): string {
  const query = new URLSearchParams(filterPairs(filters))
  for (const name of ['state', 'sort'] as const)
    if (filters[name] !== NO_FILTERS[name]) query.set(name, filters[name])
  const text = query.toString()
  return `#/${view}${id && `/${encodeURIComponent(id)}`}${text && `?${text}`}`
}

/** The filters as the API takes them, but for the time range. */
export function filterPairs(filters: Filters): [string, string][] {
  const pairs: [string, string][] = LISTS.flatMap(name =>
    filters[name].map(value => [name, value] as [string, string]),
  )
  if (filters.text !== '') pairs.push(['text', filters.text])
  if (filters.range !== NO_FILTERS.range) pairs.push(['range', filters.range])
  return pairs
}

/** How many filters are in force, time and order aside. */
export function filterCount(filters: Filters): number {
  return LISTS.reduce((sum, name) => sum + filters[name].length, filters.text === '' ? 0 : 1)
}

/** Adds a value of a list, or takes it away. */
export function toggled(filters: Filters, name: (typeof LISTS)[number], value: string): Filters {
  const list = filters[name]
  const next = list.includes(value) ? list.filter(each => each !== value) : [...list, value]
  return { ...filters, [name]: next }
}

/** The borders of a time range in ms; a span ends at `now`. */
export function rangeOf(range: string, now: number): { readonly from: number; readonly to: number } {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(range) ?? []
  if (from !== undefined && to !== undefined) return { from: Number(from), to: Number(to) }
  return { from: now - spanMs(range), to: now }
}

const UNIT_MS: { readonly [unit: string]: number } = { m: 60_000, h: 3_600_000, d: 86_400_000 }

function spanMs(range: string): number {
  const [, count = '1', unit = 'h'] = /^(\d+)([mhd])$/.exec(range) ?? []
  return Number(count) * (UNIT_MS[unit] as number)
}

function isRange(range: string): boolean {
  const [, from, to] = /^(\d{1,15})-(\d{1,15})$/.exec(range) ?? []
  return /^[1-9]\d{0,2}[mhd]$/.test(range) || (from !== undefined && Number(from) < Number(to))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
