import { type OperatorFunction, tap } from 'rxjs'
import { type Exporter, errorText, type FlowObserver, type Logger, type Records } from '../component/index.js'
import type { DeadLetters } from '../delivery/index.js'
import type { PipelineBatch } from '../pipeline/batch.js'

/** Tells observers what flows. None of them can disturb it. */
export class FlowWatch {
  #failed = false

  constructor(
    private readonly observers: readonly FlowObserver[],
    private readonly logger: Logger,
  ) {}

  exporter(id: string, exporter: Exporter): Exporter {
    return {
      start: async () => exporter.start?.(),
      stop: async () => exporter.stop?.(),
      send: async (request, signal) => {
        const { pipeline, records } = request
        const missed = (): void => this.#tell(one => one.missed?.(pipeline, id, records))
        let taken = false
        try {
          const sent = await exporter.send({ ...request, missed }, signal)
          taken = sent === 'ok'
          return sent
        } finally {
          this.#tell(one => one.sent?.(pipeline, id, records, taken))
        }
      },
    }
  }

  /**
   * A batch of which nothing is left does not come out: it is told with the next that does, the latest with the time
   * that goes through behind it each second.
   */
  processor(
    pipeline: string,
    id: string,
    operator: OperatorFunction<PipelineBatch, PipelineBatch>,
  ): OperatorFunction<PipelineBatch, PipelineBatch> {
    const inside: (Records | 'time')[] = []
    const tell = (incoming: Records, outgoing: Records): void =>
      this.#tell(one => one.processed?.(pipeline, id, incoming, outgoing))
    /** Takes out what came in before, and with, the entry at this index. */
    const through = (last: number, outgoing: Records): void => {
      for (const [at, entry] of inside.splice(0, last + 1).entries())
        if (entry !== 'time') tell(entry, at === last ? outgoing : [])
    }
    return source =>
      source.pipe(
        tap(batch => inside.push(isTime(batch) ? 'time' : batch.records)),
        operator,
        tap(batch => {
          const { records } = batch
          const first = records[0]?.id
          const at = inside.findIndex(entry =>
            isTime(batch) ? entry === 'time' : entry !== 'time' && entry.some(({ id }) => id === first),
          )
          if (at >= 0) through(at, records)
          // Of a timer: nothing came in for it.
          else if (records.length > 0) tell([], records)
        }),
      )
  }

  deadLetters(letters: DeadLetters): Pick<DeadLetters, 'add'> {
    return {
      add: async letter => {
        const kept = await letters.add(letter)
        this.#tell(one => one.givenUp?.(letter.pipeline, letter.component, letter.records, kept))
        return kept
      },
    }
  }

  #tell(tell: (observer: FlowObserver) => void): void {
    for (const observer of this.observers) {
      try {
        tell(observer)
      } catch (error) {
        if (this.#failed) continue
        this.#failed = true
        this.logger.error('An extension that observes the flow failed. Said once.', {
          reason: errorText(error),
        })
      }
    }
  }
}

function isTime({ records, watermark }: PipelineBatch): boolean {
  return records.length === 0 && watermark !== undefined
}
