import type { ComponentContext } from 'tocsin/component'

/** Turns what connection and circuits say into one status, and a log line when it changes. */
export class Health {
  readonly #context: ComponentContext<unknown>
  readonly #open = new Set<symbol>()
  #connection: Error | undefined
  #last: Error | undefined
  #said = ''

  constructor(context: ComponentContext<unknown>) {
    this.#context = context
    context.meter
      .createObservableGauge('tocsin_redis_storage_local_partitions', {
        description: 'Parts of the state that go on without Redis.',
      })
      .addCallback(result => result.observe(this.#open.size, { extension: context.id }))
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
    if (error) {
      this.#open.add(circuit)
      this.#last = error
    } else this.#open.delete(circuit)
    this.#say()
  }

  #say(): void {
    const error = this.#connection ?? (this.#open.size > 0 ? this.#last : undefined)
    const message = error?.message ?? ''
    if (message === this.#said) return
    this.#said = message
    if (error) {
      this.#context.logger.warn(
        'Redis cannot be used. State goes on locally: other collectors may raise the same alerts meanwhile.',
        { reason: message },
      )
      this.#context.reportStatus({ status: 'recoverable_error', message })
    } else {
      this.#context.logger.info('Redis works. What changed locally has been united with it.')
      this.#context.reportStatus({ status: 'ok' })
    }
  }
}
