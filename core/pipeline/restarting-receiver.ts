import type { ComponentStatus, Intake, Logger, Receiver } from '../component/index.js'
import { closeReceiver, type TermReceiver } from './exclusive-receiver.js'
import { RESTART_MS, type Restarts } from './restarts.js'

export interface RestartingOptions extends Restarts {
  /** Makes the receiver; `onStatus` is told what it says of itself. */
  readonly create: (onStatus: (status: ComponentStatus) => void) => TermReceiver
  readonly logger: Logger
  reportStatus(status: ComponentStatus): void
}

/** A receiver that says it failed for good (`fatal_error`) is closed, made anew and started again after 5 s. */
export class RestartingReceiver implements Receiver {
  #running: TermReceiver | undefined
  #intake: Intake | undefined
  #cancel = (): void => {}
  #stopping = false
  #turn: Promise<void> = Promise.resolve()

  constructor(private readonly options: RestartingOptions) {
    this.#running = this.#create()
  }

  /** Throws what the first start throws: a collector that cannot start says so. */
  async start(intake: Intake): Promise<void> {
    this.#intake = intake
    await this.#running?.receiver.start(intake)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#cancel()
    await this.#turn
    await this.#running?.receiver.stop()
  }

  async close(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    try {
      await running?.receiver.close?.()
    } finally {
      await running?.close()
    }
  }

  watermark(): bigint | undefined {
    return this.#running?.receiver.watermark()
  }

  #create(): TermReceiver {
    let failed = false
    return this.options.create(status => {
      if (failed) return
      if (status.status !== 'fatal_error') this.options.reportStatus(status)
      else {
        failed = true
        this.#broke(new Error(status.message ?? 'it failed for good'))
      }
    })
  }

  #broke(error: unknown): void {
    if (this.#stopping) return
    this.options.down(error)
    this.#cancel = this.options.clock.schedule(RESTART_MS, () => {
      this.#turn = this.#restart()
    })
  }

  async #restart(): Promise<void> {
    const { logger, starting, up } = this.options
    const old = this.#running
    this.#running = undefined
    if (old) await closeReceiver(old, logger)
    if (this.#stopping || !this.#intake) return
    starting()
    const before = this.#cancel
    try {
      this.#running = this.#create()
      await this.#running.receiver.start(this.#intake)
      // It may have said while it started that it failed again.
      if (this.#cancel === before) up()
    } catch (error) {
      if (this.#cancel === before) this.#broke(error)
    }
  }
}
