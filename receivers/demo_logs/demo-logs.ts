import {
  type Attributes,
  type ComponentContext,
  createRecord,
  durationMs,
  type Intake,
  type LogRecord,
  msToNs,
  NO_ATTRIBUTES,
  newMap,
  orAborted,
  type Receiver,
  type Records,
  type Resource,
  SEVERITY,
} from 'tocsin/component'
import type { Line } from './cast.js'
import type { DemoLogsConfig } from './config.js'
import { seeded } from './seeded.js'
import { openShop, type ShopEvent } from './shop.js'

const TICK_MS = 100
const MAX_BATCH_RECORDS = 1_000
const MAX_UNSETTLED = 16

/** Plays the shop on the clock. What cannot be taken now comes later, with the time it should have come at. */
export class DemoLogsReceiver implements Receiver {
  readonly #context: ComponentContext<DemoLogsConfig>
  readonly #count: number
  readonly #seed: number
  readonly #shop: Iterator<ShopEvent, never>
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #start = 0n
  #produced = 0
  #next: ShopEvent
  #unsettled = 0
  #watermark: bigint | undefined
  #settled: () => void = () => undefined

  constructor(context: ComponentContext<DemoLogsConfig>) {
    const { config } = context
    this.#context = context
    this.#count = config.count ?? Number.POSITIVE_INFINITY
    this.#seed = config.seed ?? Math.floor(context.random() * 2 ** 32)
    const { rate, interval } = config
    this.#shop = openShop({ random: seeded(this.#seed), rate, intervalMs: durationMs(interval) })
    this.#next = this.#shop.next().value
  }

  async start(intake: Intake): Promise<void> {
    this.#start = this.#context.clock.now()
    this.#running = this.#run(intake)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#settled()
    await this.#running
  }

  watermark(): bigint | undefined {
    return this.#watermark
  }

  async #run(intake: Intake): Promise<void> {
    const { clock } = this.#context
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const now = clock.now()
      const batch = this.#take(Number(now - this.#start) / 1e6)
      for (const records of byResource(batch)) {
        if (!(await this.#offer(intake, records))) return
      }
      if (this.#produced >= this.#count) {
        await this.#fewerThan(1)
        if (!signal.aborted) intake.end()
        return
      }
      if (batch.length === MAX_BATCH_RECORDS) continue
      this.#watermark = now
      await clock.sleep(TICK_MS, signal)
    }
  }

  /** The records that are due, at most one batch of them. */
  #take(elapsedMs: number): LogRecord[] {
    const records: LogRecord[] = []
    while (
      this.#next.atMs <= elapsedMs &&
      records.length < MAX_BATCH_RECORDS &&
      this.#produced < this.#count
    ) {
      const { atMs, line } = this.#next
      records.push(
        recordOf(`${this.#seed}:${this.#start}:${this.#produced++}`, this.#start + msToNs(atMs), line),
      )
      this.#next = this.#shop.next().value
    }
    return records
  }

  /** False when it was stopped before the records were taken. */
  async #offer(intake: Intake, records: Records): Promise<boolean> {
    const { signal } = this.#stopping
    await this.#fewerThan(MAX_UNSETTLED)
    await orAborted(intake.ready(), signal)
    if (signal.aborted) return false
    this.#unsettled++
    void this.#deliver(intake, records)
    return true
  }

  /** Resolves when fewer batches than this are unsettled, or when it is stopped. */
  async #fewerThan(limit: number): Promise<void> {
    while (this.#unsettled >= limit && !this.#stopping.signal.aborted) {
      await new Promise<void>(resolve => {
        this.#settled = resolve
      })
    }
  }

  async #deliver(intake: Intake, records: Records): Promise<void> {
    const { clock } = this.#context
    const { signal } = this.#stopping
    let answer = await intake.offer(records)
    while (answer.busy && !signal.aborted) {
      await clock.sleep(answer.retryAfterMs, signal)
      answer = await intake.offer(records)
    }
    if (!answer.busy) answer.release()
    this.#unsettled--
    this.#settled()
  }
}

/** Records of a batch share their resource; the order of each service is kept. */
function byResource(records: readonly LogRecord[]): Iterable<LogRecord[]> {
  const groups = new Map<Resource, LogRecord[]>()
  for (const record of records) {
    const group = groups.get(record.resource)
    if (group) group.push(record)
    else groups.set(record.resource, [record])
  }
  return groups.values()
}

function recordOf(id: string, timestamp: bigint, { attributes, from, level, text }: Line): LogRecord {
  const own: Attributes = attributes ? newMap(Object.entries(attributes)) : NO_ATTRIBUTES
  return createRecord({
    id,
    timestamp,
    observedTimestamp: timestamp,
    severityNumber: SEVERITY[level],
    severityText: level,
    bodyText: Buffer.from(text),
    attributes: own,
    resource: from,
  })
}
