import type { Counter } from '@opentelemetry/api'
import { tap } from 'rxjs'
import {
  type AboutKey,
  type Decided,
  type Decisions,
  type Exporter,
  errorText,
  type FlowObserver,
  type Logger,
  type LogRecord,
  onAbort,
  type Records,
  type SendAttempt,
} from '../component/index.js'
import type { DeadLetters, QueueWatch } from '../delivery/index.js'
import type { PipelineBatch } from '../pipeline/batch.js'
import type { Step } from '../pipeline/compose.js'
import type { LiftedStep } from '../pipeline/lift.js'

/** Tells observers what flows. None of them can disturb it. */
export class FlowWatch {
  #failed = false
  readonly #deciding: { readonly decisions: Decisions; tell(decided: readonly Decided[]): void }[] = []

  constructor(
    private readonly observers: readonly FlowObserver[],
    private readonly logger: Logger,
    /** Records that are held back, by exporter and reason. */
    private readonly withheld: Counter,
  ) {}

  exporter(id: string, exporter: Exporter): Exporter {
    return {
      start: async () => exporter.start?.(),
      stop: async () => exporter.stop?.(),
      send: async (request, signal) => {
        const { pipeline, records } = request
        let told = false
        const tell = (taken: boolean, more: Pick<SendAttempt, 'answer' | 'refused'>): void => {
          if (told) return
          told = true
          forget()
          const { attempt, queuedAt } = request
          this.#tell(one => one.sent?.(pipeline, id, records, taken, { attempt, queuedAt, ...more }))
        }
        // Its time is over, whether it heeds that or not.
        const forget = onAbort(signal, () => tell(false, { answer: errorText(signal.reason) }))
        try {
          let answer: string | undefined
          const answered = (text: string): void => {
            answer = text
          }
          const missed = (): void => this.#tell(one => one.missed?.(pipeline, id, records))
          const sent = await exporter.send({ ...request, answered, missed }, signal)
          if (sent === 'ok') tell(true, answer === undefined ? {} : { answer })
          else if ('refused' in sent) tell(false, { answer: sent.reason, refused: sent.refused })
          else tell(false, { answer: sent.reason })
          return sent
        } catch (error) {
          tell(false, { answer: errorText(error) })
          throw error
        }
      },
    }
  }

  /** Undefined when no observer cares. */
  queue(exporter: string, notifying: boolean): QueueWatch | undefined {
    const watching = this.observers.filter(one => notifying || one.exporters?.includes(exporter))
    const holding = watching.filter(({ withhold }) => withhold)
    if (holding.length === 0 && !watching.some(({ queued }) => queued)) return undefined
    const reasonOf = (record: LogRecord, pipeline: string): string | undefined => {
      for (const one of holding) {
        const reason = this.#safely(() => one.withhold?.(pipeline, exporter, record))
        if (reason !== undefined) return reason
      }
      return undefined
    }
    return {
      let: (records, pipeline) => {
        const withheld = new Map<string, LogRecord[]>()
        const going = records.filter(record => {
          const reason = reasonOf(record, pipeline)
          if (reason === undefined) return true
          const held = withheld.get(reason)
          if (held) held.push(record)
          else withheld.set(reason, [record])
          return false
        })
        for (const [reason, records] of withheld) {
          this.withheld.add(records.length, { exporter, reason })
          this.#tell(one => one.withheld?.(pipeline, exporter, records, reason), watching)
        }
        return withheld.size === 0 ? records : going
      },
      queued: (records, pipeline, queuedAt) =>
        this.#tell(one => one.queued?.(pipeline, exporter, records, queuedAt), watching),
    }
  }

  processor(pipeline: string, id: string, lifted: LiftedStep, more: WatchedProcessor = {}): LiftedStep {
    const { about } = more
    const decided = this.observers.filter(one => one.decided)
    const decisions = decided.length > 0 ? more.decisions?.() : undefined
    const processed = this.observers.filter(one => one.processed && !(decisions && one.decided))
    const step = decisions
      ? this.#telling(lifted, decisions, news =>
          this.#tell(one => one.decided?.(pipeline, id, news, about), decided),
        )
      : lifted
    if (processed.length === 0) return step
    return this.#whole(step, (incoming, outgoing) =>
      this.#tell(one => one.processed?.(pipeline, id, incoming, outgoing, about), processed),
    )
  }

  /** What processors decided alike since the last time. */
  tellRepeats(): void {
    for (const { decisions, tell } of this.#deciding) {
      tell(decisions.news())
      tell(decisions.repeats())
    }
  }

  /** What repeats is told each second at the latest: until then a line of each key is kept. */
  #telling(
    { operator, screen, sieve }: LiftedStep,
    decisions: Decisions,
    telling: (decided: readonly Decided[]) => void,
  ): LiftedStep {
    const tell = (decided: readonly Decided[]): void => {
      if (decided.length > 0) telling(decided)
    }
    this.#deciding.push({ decisions, tell })
    const out = tap((batch: PipelineBatch) => {
      tell(decisions.news())
      if (isTime(batch)) tell(decisions.repeats())
    })
    return { operator: source => source.pipe(operator, out), screen, sieve }
  }

  /**
   * A batch of which nothing is left does not come out: it is told with the next that does, the latest with the time
   * that goes through behind it each second.
   */
  #whole({ operator, screen }: LiftedStep, tell: (incoming: Records, outgoing: Records) => void): LiftedStep {
    const inside: (Records | 'time')[] = []
    /** Takes out what came in before, and with, the entry at this index. */
    const through = (last: number, outgoing: Records): void => {
      for (const [at, entry] of inside.splice(0, last + 1).entries())
        if (entry !== 'time') tell(entry, at === last ? outgoing : [])
    }
    const watched: Step = source =>
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
    return {
      operator: watched,
      screen: screen && {
        ...screen,
        dropped: records => {
          screen.dropped(records)
          tell(records, [])
        },
      },
    }
  }

  deadLetters(letters: DeadLetters): Pick<DeadLetters, 'add'> {
    return {
      add: async letter => {
        const kept = await letters.add(letter)
        const { pipeline, component, records, reason, detail } = letter
        this.#tell(one => one.givenUp?.(pipeline, component, records, kept, { reason, detail }))
        return kept
      },
    }
  }

  #tell(tell: (observer: FlowObserver) => void, observers = this.observers): void {
    for (const observer of observers) this.#safely(() => tell(observer))
  }

  #safely<T>(ask: () => T): T | undefined {
    try {
      return ask()
    } catch (error) {
      if (this.#failed) return undefined
      this.#failed = true
      this.logger.error('An extension that observes the flow failed. Said once.', {
        reason: errorText(error),
      })
      return undefined
    }
  }
}

/** What a processor can tell besides. */
export interface WatchedProcessor {
  readonly about?: AboutKey | undefined
  /** Asked when somebody cares. */
  decisions?(): Decisions | undefined
}

function isTime({ records, watermark }: PipelineBatch): boolean {
  return records.length === 0 && watermark !== undefined
}
