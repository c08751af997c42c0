import { describe, expect, test } from 'vitest'
import { NO_FILTERS, type Route, rangeOf, readRoute, toggled, writeRoute } from './route.js'

describe('the fragment of the URL', () => {
  test.each<Partial<Route>>([
    {},
    { view: 'alert', id: 'a/b?c#d e%' },
    { filters: { ...NO_FILTERS, severity: ['critical', 'P1 & more'], host: ['', 'db-1'], text: '50% <b>' } },
    {
      view: 'notifications',
      filters: { ...NO_FILTERS, range: '1700000000000-1700000900000', sort: 'count' },
    },
    { filters: { ...NO_FILTERS, state: 'ended', range: '7d', pipeline: ['logs/ä'] } },
  ])('holds everything: %j', given => {
    const route: Route = { view: 'alerts', id: '', filters: NO_FILTERS, ...given }
    expect(readRoute(writeRoute(route))).toEqual(route)
  })

  test.each([
    '',
    '#',
    '#/',
    '#/nowhere/x?range=9999999y&sort=worst&state=maybe',
    '#/alerts?range=20-10',
    '#%%%?%%',
  ])('that nobody wrote is the page as it is: %s', fragment => {
    expect(readRoute(fragment)).toMatchObject({ view: 'alerts', filters: NO_FILTERS })
  })

  test('that somebody typed may hold what it would escape', () => {
    expect(readRoute('#/alerts?text=what? who? /etc').filters.text).toBe('what? who? /etc')
  })

  test('an id with a broken escape is taken as it stands', () => {
    expect(readRoute('#/alert/50%').id).toBe('50%')
  })
})

test('a time range ends now, or where it was drawn', () => {
  expect(rangeOf('6h', 10 * 3_600_000)).toEqual({ from: 4 * 3_600_000, to: 10 * 3_600_000 })
  expect(rangeOf('5-7', 100)).toEqual({ from: 5, to: 7 })
})

test('a value of a filter goes when it is chosen again', () => {
  const once = toggled(NO_FILTERS, 'host', 'a')
  expect(once.host).toEqual(['a'])
  expect(toggled(once, 'host', 'a')).toEqual(NO_FILTERS)
})
