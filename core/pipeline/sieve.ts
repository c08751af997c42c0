import type { Busy, LogRecord, Records, Settled, Sieve } from '../component/index.js'
import { IN_STEP_NS, ownTime } from '../state/event-times.js'

/** What a step of a pipeline says of records that have not come in. */
export interface StepSieve {
  /** False when it would pass the record on untouched, and keep nothing of it but its time. */
  touches(record: LogRecord): boolean
  /** So many passed it untouched, to be counted as the operator would. */
  passed(records: number): void
  /** The times it runs on. */
  readonly timeSource: 'event' | 'observed'
}

/** What a pipeline says of them, from one end to the other. */
export interface PipelineSieve {
  readonly steps: readonly StepSieve[]
  /** Of each exporter: a throw is for it to deal with. */
  readonly wants: readonly ((record: LogRecord) => boolean)[]
}

/** Undefined where one of them takes each record. */
export function pipelineSieve(
  steps: readonly (StepSieve | undefined)[],
  wants: readonly (((record: LogRecord) => boolean) | undefined)[],
): PipelineSieve | undefined {
  if (steps.includes(undefined) || wants.includes(undefined)) return undefined
  return { steps: steps as StepSieve[], wants: wants as ((record: LogRecord) => boolean)[] }
}

type Offer = (batches: readonly Records[], transport: string | undefined, sieve: RequestSieve) => Offered
type Offered = Promise<Settled | Busy>

/**
 * Keeps back, of the records of a request, those that all pipelines would pass on untouched to exporters that do not want them.
 * Where a step runs on the times of records the newest of each batch is let through, and a batch with a clock that is ahead from
 * there on, so that the time of the pipeline is the same.
 */
export class RequestSieve implements Sieve {
  unwanted = 0
  readonly #ask: readonly ((record: LogRecord) => boolean)[]
  readonly #steps: readonly StepSieve[]
  readonly #timeSource: StepSieve['timeSource'] | undefined
  readonly #latest: bigint
  /** Of the batch; kept back so far, where the time is an unwanted record's. */
  #newest: LogRecord | undefined
  #newestTime = 0n
  #takesAll = false

  /** `now`: ns since the epoch. All steps run on the same times. */
  constructor(
    pipelines: readonly PipelineSieve[],
    now: bigint,
    private readonly offer: Offer,
  ) {
    this.#steps = pipelines.flatMap(({ steps }) => steps)
    this.#ask = [
      ...this.#steps.map(step => (record: LogRecord) => step.touches(record)),
      ...new Set(pipelines.flatMap(({ wants }) => wants)),
    ]
    this.#timeSource = this.#steps[0]?.timeSource
    this.#latest = now + IN_STEP_NS
  }

  sift(record: LogRecord, batch: LogRecord[]): LogRecord | undefined {
    const wanted = this.#takesAll || this.#wanted(record)
    let free = wanted ? undefined : record
    if (this.#timeSource !== undefined && !this.#takesAll) {
      const time = ownTime(record, this.#timeSource)
      if (time > this.#latest) {
        this.end(batch)
        this.#takesAll = true
        batch.push(record)
        return undefined
      }
      if (time > this.#newestTime) {
        free = this.#newest
        this.#newestTime = time
        this.#newest = wanted ? undefined : record
      }
    }
    if (wanted) batch.push(record)
    else this.unwanted++
    return free
  }

  end(batch: LogRecord[]): void {
    if (this.#newest) {
      batch.push(this.#newest)
      this.unwanted--
    }
    this.#newest = undefined
    this.#newestTime = 0n
    this.#takesAll = false
  }

  offerAll(batches: readonly Records[], transport?: string): Offered {
    return this.offer(batches, transport, this)
  }

  /** They are taken. */
  passed(): void {
    for (const step of this.#steps) step.passed(this.unwanted)
  }

  #wanted(record: LogRecord): boolean {
    try {
      for (const wants of this.#ask) if (wants(record)) return true
      return false
    } catch {
      return true
    }
  }
}
