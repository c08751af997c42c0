import type { ComponentContext, Intake, Records } from '../component/index.js'
import { alike, Rehearsal, type RehearsalOptions } from '../rehearsal/index.js'
import { systemClock } from '../service/clock.js'
import type { VirtualClock } from '../testing/clock.js'
import { collectingLogger, type LogEntry } from '../testing/context.js'
import { seededRandom } from '../testing/random.js'

export interface StageOptions
  extends Omit<RehearsalOptions, 'clock' | 'random' | 'logger' | 'tickMs' | 'receiver'> {
  readonly clock: VirtualClock
  log(entry: LogEntry): void
  refused(receiver: string, reason: string): void
}

/** Turns of the event loop for components that take their time. */
const IDLE_TURNS = 5
const MOST_TURNS = 20_000
/** What reads a file is through by then; else it waits for the clock. */
const BUSY_TURNS = 300

/** A rehearsal on a clock that is moved by hand. */
export class Stage {
  readonly rehearsal: Rehearsal
  /** What receivers were made with. */
  readonly contexts = new Map<string, ComponentContext<object>>()
  readonly #options: StageOptions
  readonly #clock: VirtualClock
  readonly #hops: number
  readonly #intakes = new Map<string, Intake>()
  /** When keys want to be woken. */
  readonly #dues = new Map<string, bigint>()
  #sending = 0
  #unsettled = 0

  constructor(options: StageOptions) {
    const { settings, clock } = options
    const { connectors, pipelines } = settings.graph
    this.#options = options
    this.#clock = clock
    // Time comes to a pipeline behind a connector one by one.
    this.#hops = connectors.size === 0 ? 1 : connectors.size + pipelines.size
    const logger = collectingLogger({ push: entry => options.log(entry) })
    this.rehearsal = new Rehearsal({
      ...options,
      random: seededRandom(1),
      logger: { ...logger, child: () => logger },
      tickMs: Number.POSITIVE_INFINITY,
      receiver: (plan, context) => {
        this.contexts.set(plan.id, { ...context, config: plan.config })
        return {
          start: async intake => void this.#intakes.set(plan.id, intake),
          stop: async () => undefined,
          watermark: () => clock.now(),
        }
      },
      send: async outgoing => {
        this.#sending++
        try {
          await options.send(outgoing)
        } finally {
          this.#sending--
        }
      },
      decided: decision => {
        const { pipeline, processor, key, step } = decision
        if (step.due !== undefined) this.#dues.set(JSON.stringify([pipeline, processor, key]), step.due)
        options.decided(decision)
      },
    })
  }

  /** Resolves when all of it is settled. */
  async offer(receiver: string, records: Records): Promise<void> {
    await Promise.all(
      alike(records).map(async batch => {
        this.#unsettled++
        const settled = await (this.#intakes.get(receiver) as Intake).offer(batch)
        this.#unsettled--
        if (settled.busy) this.#options.refused(receiver, settled.reason)
        else settled.release()
      }),
    )
  }

  /** Moves the clock from timer to timer, those of the components and those of their keys. */
  async moveTo(at: bigint): Promise<void> {
    for (let left = at - this.#clock.now(); left > 0n; left = at - this.#clock.now()) {
      const timerNs = nsOf(this.#clock.nextMs ?? Number.POSITIVE_INFINITY)
      // At the end of a wait time goes through in any case.
      const ns = [this.#nextDue(), timerNs].reduce((a: bigint, b) => (b !== undefined && b < a ? b : a), left)
      await this.#clock.advance(Number(ns > 0n ? ns : 1n) / 1e6)
      await this.sendTime()
    }
  }

  /** Through all pipelines, however they hang together. */
  async sendTime(): Promise<void> {
    for (let hop = 0; hop < this.#hops; hop++) {
      this.rehearsal.sendTime()
      await this.settle()
    }
  }

  /** ns from now. What is due already has had its time sent. */
  #nextDue(): bigint | undefined {
    const now = this.#clock.now()
    let next: bigint | undefined
    for (const [key, due] of this.#dues) {
      if (due <= now) this.#dues.delete(key)
      else if (next === undefined || due < next) next = due
    }
    return next === undefined ? undefined : next - now
  }

  /** Until nothing happens any more, or what happens waits for the clock. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      await turnOfTheLoop()
      if (this.#sending > 0) {
        if (turn > IDLE_TURNS) await systemClock.sleep(1)
        continue
      }
      if (this.#unsettled === 0 || turn >= IDLE_TURNS) return
    }
  }

  /** Lets time pass while something is waited for. What a component reads takes real time. */
  async during<T>(task: Promise<T>): Promise<T> {
    let done = false
    const finished = task.finally(() => {
      done = true
    })
    finished.catch(() => undefined)
    for (let turn = 0; !done; turn++) {
      await turnOfTheLoop()
      if (turn < BUSY_TURNS) continue
      await systemClock.sleep(1)
      if (!done) await this.#clock.advance(5)
    }
    return finished
  }
}

/** No timer is further away than this. */
const FOREVER_MS = 3e12

function nsOf(ms: number): bigint {
  return BigInt(Math.ceil(Math.min(ms, FOREVER_MS) * 1e6))
}

function turnOfTheLoop(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
