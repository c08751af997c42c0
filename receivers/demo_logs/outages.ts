import type { Random } from 'tocsin/component'
import { CAST, type Line } from './cast.js'
import { pick, request } from './everyday.js'

/** A story of something that breaks and comes back. */
export interface Outage {
  /** What announces it. */
  readonly begin: readonly Line[]
  /** What is logged while it lasts. */
  during(random: Random): Line
  /** What shows that it is over. */
  readonly end: readonly Line[]
}

const DATABASE = '10.0.0.12:5432'
const CACHE = '10.0.0.31:6379'

const database: Outage = {
  begin: CAST.orders.map(from => ({
    from,
    level: 'ERROR' as const,
    text: `ERROR orders-db connection refused (${DATABASE})`,
    attributes: { 'server.address': DATABASE },
  })),
  during: random => {
    const dice = random()
    if (dice < 0.4) return request(random, 503, '/checkout')
    if (dice < 0.8) return pick(random, database.begin)
    return {
      from: CAST.orders[0],
      level: 'WARN',
      text: 'orders-db pool: 20 of 20 connections in use, 14 waiting',
    }
  },
  end: CAST.orders.map(from => ({
    from,
    level: 'INFO' as const,
    text: `INFO orders-db connection established (${DATABASE})`,
    attributes: { 'server.address': DATABASE },
  })),
}

const payments: Outage = {
  begin: [
    {
      from: CAST.payments[0],
      level: 'ERROR',
      text: 'ERROR payment gateway timeout after 5000ms (pay.example.net)',
      attributes: { 'server.address': 'pay.example.net' },
    },
  ],
  during: random =>
    random() < 0.5
      ? (payments.begin[0] as Line)
      : { from: CAST.orders[0], level: 'WARN', text: 'payment pending, order kept for a later try' },
  end: [
    {
      from: CAST.payments[0],
      level: 'INFO',
      text: 'INFO payment gateway reachable again (pay.example.net)',
      attributes: { 'server.address': 'pay.example.net' },
    },
  ],
}

const cache: Outage = {
  begin: [
    {
      from: CAST.catalog[0],
      level: 'ERROR',
      text: `ERROR catalog-cache connection lost (${CACHE})`,
      attributes: { 'server.address': CACHE },
    },
  ],
  during: random =>
    random() < 0.6
      ? { from: CAST.catalog[0], level: 'WARN', text: 'cache unavailable, reading from catalog-db' }
      : request(random, 200, '/product/1042'),
  end: [
    {
      from: CAST.catalog[0],
      level: 'INFO',
      text: `INFO catalog-cache connection restored (${CACHE})`,
      attributes: { 'server.address': CACHE },
    },
  ],
}

/** They come in turn. */
export const OUTAGES: readonly Outage[] = [database, payments, cache]
