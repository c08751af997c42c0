import type { Random } from 'tocsin/component'
import { CAST, type Line } from './cast.js'

const PAGES = [
  '/',
  '/search?q=tent',
  '/product/1042',
  '/product/77',
  '/cart',
  '/checkout',
  '/login',
  '/account',
]
const METHODS: { readonly [page: string]: string } = { '/checkout': 'POST', '/login': 'POST' }

/** What the shop logs when all is well, with the noise that any service has. */
export function everydayLine(random: Random): Line {
  const dice = random()
  if (dice < 0.55) return request(random, 200)
  if (dice < 0.6) return request(random, 404)
  if (dice < 0.72) return order(random)
  if (dice < 0.82) return cache(random)
  if (dice < 0.9) return pool(random)
  return dice < 0.95 ? payment(random) : noise(random)
}

/** A request as the web server logs it. */
export function request(random: Random, status: number, page = pick(random, PAGES)): Line {
  const method = METHODS[page] ?? 'GET'
  const duration =
    status >= 500 ? between(random, 1_900, 2_100) : between(random, 3, page === '/checkout' ? 240 : 90)
  return {
    from: pick(random, CAST.web),
    level: status >= 500 ? 'ERROR' : 'INFO',
    text: `${method} ${page} ${status} ${duration}ms`,
    attributes: {
      'http.request.method': method,
      'url.path': page.split('?')[0] as string,
      'http.response.status_code': BigInt(status),
      duration_ms: BigInt(duration),
    },
  }
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T
}

/** A whole number from `low` up to, not including, `high`. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low))
}

function order(random: Random): Line {
  const order = between(random, 10_000, 99_999)
  const items = between(random, 1, 6)
  return {
    from: pick(random, CAST.orders),
    level: 'INFO',
    text: `order ${order} placed with ${items} item${items === 1 ? '' : 's'}`,
    attributes: { 'order.id': BigInt(order) },
  }
}

function cache(random: Random): Line {
  const key = `product:${between(random, 1, 2_000)}`
  const hit = random() < 0.8
  return {
    from: CAST.catalog[0],
    level: 'DEBUG',
    text: `cache ${hit ? 'hit' : 'miss'} ${key}`,
    attributes: { 'cache.hit': hit },
  }
}

function pool(random: Random): Line {
  const used = between(random, 2, 12)
  return {
    from: pick(random, CAST.orders),
    level: 'DEBUG',
    text: `orders-db pool: ${used} of 20 connections in use`,
    attributes: { 'db.client.connection.count': BigInt(used) },
  }
}

function payment(random: Random): Line {
  const amount = (between(random, 500, 20_000) / 100).toFixed(2)
  return { from: CAST.payments[0], level: 'INFO', text: `payment of ${amount} EUR authorized` }
}

function noise(random: Random): Line {
  const client = `203.0.113.${between(random, 1, 255)}`
  const lines: readonly Line[] = [
    {
      from: CAST.web[0],
      level: 'WARN',
      text: `rate limit exceeded for ${client}`,
      attributes: { 'client.address': client },
    },
    {
      from: CAST.catalog[0],
      level: 'WARN',
      text: `disk usage ${between(random, 88, 93)}% on /var/lib/catalog`,
    },
    {
      from: CAST.orders[1],
      level: 'WARN',
      text: `slow query: ${between(random, 800, 1_500)}ms SELECT * FROM orders`,
    },
    {
      from: CAST.web[1],
      level: 'WARN',
      text: `login failed for user admin from ${client}`,
      attributes: { 'client.address': client },
    },
  ]
  return pick(random, lines)
}
