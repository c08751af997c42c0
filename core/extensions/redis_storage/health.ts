import type { Counter } from '@opentelemetry/api'
import { type ComponentContext, isTocsinError } from 'tocsin/component'
import { STATE_LOST } from '#state'

/** How long the status tells of it. */
const LOST_SHOWN_MS = 300_000
/** Parts and the marker find the same loss one after another. */
const SAME_LOSS_MS = 30_000
const LOST =
  'Redis has lost data: it came back empty, or an older copy of it took over. Turn on its persistence (appendonly yes).'

const UNTIL_BACK = 'What is held in memory is being written back.'

/** Turns what connection and circuits say into one status, and a log line when it changes. */
export class Health {
  readonly #context: ComponentContext<unknown>
  readonly #open = new Set<symbol>()
  readonly #losses: Counter
  readonly #restored: Counter
  #connection: Error | undefined
  #last: Error | undefined
  #lostMs: number | undefined
  #cancelLost: () => void = () => undefined
  #said = ''

  constructor(context: ComponentContext<unknown>) {
    this.#context = context
    const { meter, id: extension } = context
    meter
      .createObservableGauge('tocsin_redis_storage_local_partitions', {
        description: 'Parts of the state that go on without Redis.',
      })
      .addCallback(result => result.observe(this.#open.size, { extension }))
    const counter = (name: string, description: string): Counter => {
      const made = meter.createCounter(name, { description })
      made.add(0, { extension })
      return made
    }
    this.#losses = counter('tocsin_redis_storage_data_losses', 'Times that Redis had lost what it held.')
    this.#restored = counter(
      'tocsin_redis_storage_restored_keys',
      'Keys that this collector held in memory and brought back to a Redis that had lost its data.',
    )
  }

  connected(): void {
    this.#connection = undefined
    this.#say()
  }

  failed(error: Error): void {
    this.#connection = error
    this.#say()
  }

  /** A part of the state that goes on without Redis, or is back. */
  circuit(circuit: symbol, error: Error | undefined): void {
    if (isTocsinError(error) && error.code === STATE_LOST) this.lost()
    if (error) {
      this.#open.add(circuit)
      this.#last = error
    } else this.#open.delete(circuit)
    this.#say()
  }

  /** Redis does not hold what it held. */
  lost(): void {
    const { clock, logger, id } = this.#context
    const now = clock.monotonicMs()
    const before = this.#lostMs
    this.#lostMs = now
    this.#cancelLost()
    this.#cancelLost = clock.schedule(LOST_SHOWN_MS, () => {
      this.#lostMs = undefined
      this.#say()
    })
    if (before !== undefined && now - before < SAME_LOSS_MS) return
    this.#losses.add(1, { extension: id })
    logger.error(LOST, {
      written_back: 'alert state that this collector holds in memory',
      lost: 'state that nobody holds, checkpoints, queued requests and streams that were only in Redis',
    })
    this.#say()
  }

  restored(keys: number): void {
    this.#restored.add(keys, { extension: this.#context.id })
  }

  close(): void {
    this.#cancelLost()
  }

  #say(): void {
    const { logger } = this.#context
    const trouble = this.#connection ?? (this.#open.size > 0 ? this.#last : undefined)
    const lost =
      this.#lostMs === undefined ? undefined : this.#open.size === 0 ? LOST : `${LOST} ${UNTIL_BACK}`
    // While it shows that data are lost, a part that is away because of that is no news.
    const message = this.#connection?.message ?? lost ?? trouble?.message ?? ''
    if (message === this.#said) return
    this.#said = message
    if (message === '') {
      logger.info('Redis works. What changed locally has been united with it.')
      this.#context.reportStatus({ status: 'ok' })
      return
    }
    if (!message.startsWith(LOST)) {
      logger.warn(
        'Redis cannot be used. State goes on locally: other collectors may raise the same alerts meanwhile.',
        { reason: message },
      )
    }
    this.#context.reportStatus({ status: 'recoverable_error', message })
  }
}
