import type { Random } from 'tocsin/component'
import type { Line } from './cast.js'
import { everydayLine } from './everyday.js'
import { OUTAGES } from './outages.js'

export interface ShopEvent {
  /** ms since the shop opened. */
  readonly atMs: number
  readonly line: Line
}

export interface ShopOptions {
  readonly random: Random
  /** Records a second in quiet times. */
  readonly rate: number
  readonly intervalMs: number
}

const FIRST_OUTAGE_MS = 5_000
const SHORTEST_OUTAGE_MS = 8_000
const LONGEST_OUTAGE_MS = 12_000

/** The shop as a sequence of events: the same options and random numbers give the same events. */
export function* openShop({ random, rate, intervalMs }: ShopOptions): Generator<ShopEvent, never> {
  // Times between requests that are independent of each other.
  const wait = () => (-Math.log(1 - random()) * 1_000) / rate
  let nextLine = wait()
  for (let number = 0; ; number++) {
    const outage = OUTAGES[number % OUTAGES.length]!
    const begin = FIRST_OUTAGE_MS + number * intervalMs
    const end = begin + SHORTEST_OUTAGE_MS + random() * (LONGEST_OUTAGE_MS - SHORTEST_OUTAGE_MS)
    for (; nextLine < begin; nextLine += wait()) yield { atMs: nextLine, line: everydayLine(random) }
    for (const line of outage.begin) yield { atMs: begin, line }
    for (; nextLine < end; nextLine += wait()) {
      yield { atMs: nextLine, line: random() < 0.5 ? outage.during(random) : everydayLine(random) }
    }
    for (const line of outage.end) yield { atMs: end, line }
  }
}
