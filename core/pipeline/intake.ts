import type { Counter } from '@opentelemetry/api'
import { inSlices, type Steps } from '../component/in-slices.js'
import type { Busy, Clock, Intake, Records, Settled, Sieve, Term } from '../component/index.js'
import type { Gate } from '../delivery/index.js'
import { failpoint } from '../failpoints.js'
import { Obligation, PipelineBatch } from './batch.js'
import { Inflow, type Inlet } from './inflow.js'
import type { Pipeline } from './pipeline.js'
import { STOPPING, TOO_MANY_UNSETTLED } from './pipeline.js'
import { type PipelineSieve, RequestSieve } from './sieve.js'

export interface IntakeMetrics {
  readonly accepted: Counter
  readonly refused: Counter
  readonly discarded: Counter
}

/** Begins a span; what it answers ends it, with the reason why the records were not taken. */
export type TraceOffer = (records: number, transport?: string) => (refusal?: string) => void

export interface IntakeOptions {
  readonly receiver: string
  /** The pipelines that say whether all can take a batch. */
  readonly asked: readonly Pick<Pipeline, 'busy'>[]
  /** The ways into all pipelines. */
  readonly inlets: readonly Inlet[]
  /** Of all pipelines; undefined for one that takes every record. */
  readonly sieves: readonly (PipelineSieve | undefined)[]
  /** Whether somebody looks on: then all records are wanted. */
  readonly looks: () => boolean
  readonly clock: Pick<Clock, 'now'>
  readonly metrics: IntakeMetrics
  readonly gate: Gate
  /** Told of each batch that goes into the pipelines. */
  readonly onBatch?: (records: Records) => void
  /** Where the collector traces itself. */
  readonly trace?: TraceOffer | undefined
  /** Told of so many records that were answered busy, and why. */
  readonly onRefused: (records: number, reason: string) => void
  readonly onEnd: () => void
}

// What one receiver may have unsettled: bounds the memory of pipelines and memory queues together.
const MAX_UNSETTLED_BATCHES = 1_000
const MAX_UNSETTLED_RECORDS = 100_000
/** Requests that are not sifted after one most of whose records were wanted. */
const UNSIFTED_REQUESTS = 63

/** Where one receiver hands its records to all pipelines that name it: all of them take a batch, or none. */
export class ReceiverIntake implements Intake {
  #unsettledBatches = 0
  #unsettledRecords = 0
  #open = true
  /** Admitted, and not yet in the pipelines, in order. */
  readonly #waiting: PipelineBatch[] = []
  #pushing = false
  #pushed: Promise<void> = Promise.resolve()
  readonly #inflow: Inflow
  /** A receiver that reads offers the same batch until it is taken: that counts as refused once. */
  readonly #refused = new WeakSet<Records>()
  /** Undefined where a pipeline takes every record, or they run on different times. */
  readonly #sieves: readonly PipelineSieve[] | undefined
  #unsifted = 0

  constructor(private readonly options: IntakeOptions) {
    this.#inflow = new Inflow(options.inlets)
    this.#sieves = together(options.sieves)
    // From the start: what is silent from the beginning must be told from what is not there.
    options.metrics.accepted.add(0, { receiver: options.receiver })
  }

  get unsettledRecords(): number {
    return this.#unsettledRecords
  }

  offer(records: Records): Promise<Settled | Busy> {
    return this.offerAll([records])
  }

  offerAll(offered: readonly Records[], transport?: string, term?: Term): Promise<Settled | Busy> {
    return this.#offerTraced(offered, transport, term)
  }

  sift(): Sieve | undefined {
    if (!this.#sieves || this.options.looks()) return undefined
    if (this.#unsifted > 0) {
      this.#unsifted--
      return undefined
    }
    return new RequestSieve(this.#sieves, this.options.clock.now(), (offered, transport, sieve) =>
      this.#offerTraced(offered, transport, undefined, sieve),
    )
  }

  #offerTraced(
    offered: readonly Records[],
    transport?: string,
    term?: Term,
    sieve?: RequestSieve,
  ): Promise<Settled | Busy> {
    const { trace } = this.options
    if (!trace) return this.#offerAll(offered, transport, term, sieve)
    const end = trace(countOf(offered) + (sieve?.unwanted ?? 0), transport)
    return this.#offerAll(offered, transport, term, sieve).then(answer => {
      end(answer.busy ? answer.reason : undefined)
      return answer
    })
  }

  #offerAll(
    offered: readonly Records[],
    transport?: string,
    term?: Term,
    sieve?: RequestSieve,
  ): Promise<Settled | Busy> {
    const { receiver, metrics, gate, onRefused } = this.options
    const labels = { receiver, ...(transport !== undefined && { transport }) }
    const batches = offered.filter(records => records.length > 0)
    const records = countOf(batches)
    const unwanted = sieve?.unwanted ?? 0
    if (sieve && records > unwanted) this.#unsifted = UNSIFTED_REQUESTS
    // Nothing is admitted before every batch has been looked at.
    const asked = batches.length === 0 && unwanted > 0 ? [[]] : batches
    const busy = this.#ownBusy() ?? first(asked, batch => this.#pipelineBusy(batch))
    if (busy) {
      const refused = this.#newlyRefused(batches) + unwanted
      metrics.refused.add(refused, { ...labels, reason: busy.reason })
      if (refused > 0) onRefused(refused, busy.reason)
      return Promise.resolve(busy)
    }
    if (records + unwanted > 0) metrics.accepted.add(records + unwanted, labels)
    if (unwanted > 0) sieve?.passed()
    if (records === 0) return Promise.resolve({ deadLettered: 0, release: () => {} })
    failpoint('after_reading')
    this.#unsettledBatches += batches.length
    this.#unsettledRecords += records
    return new Promise(resolve => {
      const obligation = new Obligation(settled => {
        this.#unsettledBatches -= batches.length
        this.#unsettledRecords -= records
        gate.changed()
        failpoint('before_checkpoint')
        resolve(settled)
      }, term && [term])
      obligation.add(batches.length - 1)
      for (const records of batches) this.#waiting.push(new PipelineBatch(records, [obligation]))
      if (!this.#pushing) this.#pushed = inSlices(this.#push())
    })
  }

  /** A pipeline does much of its work as a batch comes in: many of them must not hold up the process. */
  *#push(): Steps<void> {
    this.#pushing = true
    for (let batch = this.#waiting.shift(); batch; batch = this.#waiting.shift()) {
      this.options.onBatch?.(batch.records)
      this.#inflow.push(batch)
      if (this.#waiting.length > 0) yield
    }
    this.#pushing = false
  }

  async ready(): Promise<void> {
    while (this.#open && (this.#ownBusy() ?? this.#pipelineBusy([]))) await this.options.gate.wait()
  }

  /** Each second: pipelines that were passed over count what they did not see. */
  tell(): void {
    this.#inflow.tell()
  }

  discarded(reason: string, count = 1): void {
    this.options.metrics.discarded.add(count, { receiver: this.options.receiver, reason })
  }

  end(): void {
    this.options.onEnd()
  }

  /** Takes nothing more: offers are answered busy, waiters wake up. Resolves when what was taken is in the pipelines. */
  async close(): Promise<void> {
    this.#open = false
    this.options.gate.changed()
    await this.#pushed
    this.#inflow.complete()
  }

  #newlyRefused(batches: readonly Records[]): number {
    let count = 0
    for (const batch of batches) {
      if (this.#refused.has(batch)) continue
      this.#refused.add(batch)
      count += batch.length
    }
    return count
  }

  #ownBusy(): Busy | undefined {
    if (!this.#open) return STOPPING
    const full =
      this.#unsettledBatches >= MAX_UNSETTLED_BATCHES || this.#unsettledRecords >= MAX_UNSETTLED_RECORDS
    return full ? TOO_MANY_UNSETTLED : undefined
  }

  #pipelineBusy(records: Records): Busy | undefined {
    return first(this.options.asked, pipeline => pipeline.busy(records))
  }
}

function first<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

function countOf(batches: readonly Records[]): number {
  return batches.reduce((sum, { length }) => sum + length, 0)
}

function together(sieves: readonly (PipelineSieve | undefined)[]): readonly PipelineSieve[] | undefined {
  const all = sieves.filter(sieve => sieve !== undefined)
  const times = new Set(all.flatMap(({ steps }) => steps.map(({ timeSource }) => timeSource)))
  return all.length === sieves.length && times.size <= 1 ? all : undefined
}
