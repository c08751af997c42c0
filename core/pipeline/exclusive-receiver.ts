import type { Meter } from '@opentelemetry/api'
import {
  type Busy,
  type Clock,
  type ComponentStatus,
  errorText,
  type Fence,
  type Intake,
  type LeaseStore,
  type Logger,
  type Random,
  type Receiver,
  type Settled,
  type Term,
} from '../component/index.js'
import { LeaseKeeper, type LeaseTerm } from '../state/index.js'
import { observeLease } from '../state/lease/observe-lease.js'
import { STOPPING } from './pipeline.js'

export interface ExclusiveOptions {
  readonly id: string
  readonly lease: LeaseStore
  /** Makes the receiver of one term: what it writes to its storage is refused once the fence is not its own. */
  readonly create: (fence: Fence) => TermReceiver
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
  reportStatus(status: ComponentStatus): void
}

export interface TermReceiver {
  readonly receiver: Receiver
  /** Lets go of what its context opened. */
  close(): Promise<void>
}

const RETRY_START_MS = 10_000

/**
 * A receiver that runs in one collector at a time: from getting its lease to losing it. The next holder goes on from
 * the checkpoint, so what was not settled and checkpointed is read again.
 */
export class ExclusiveReceiver implements Receiver {
  readonly #options: ExclusiveOptions
  readonly #keeper: LeaseKeeper
  readonly #observe: () => void
  #intake: Intake | undefined
  #running: { readonly made: TermReceiver; readonly term: LeaseTerm } | undefined
  #stopping = false
  #trouble: Error | undefined
  /** Starts and stops come one after another. */
  #turn: Promise<unknown> = Promise.resolve()
  #startError: unknown

  constructor(options: ExclusiveOptions) {
    this.#options = options
    const { id, clock, random, logger, meter } = options
    this.#keeper = new LeaseKeeper(options.lease, {
      clock,
      random,
      onHeld: term => void this.#inTurn(() => this.#begin(term)),
      onLost: term => {
        if (!this.#stopping)
          logger.warn('The lease is lost: another collector may go on from the checkpoint.')
        void this.#inTurn(() => this.#end(term))
      },
      onTrouble: error => {
        // Told at each attempt; said once.
        if (error && !this.#trouble) {
          logger.warn('The storage of the lease cannot be reached.', { reason: errorText(error) })
        } else if (!error) logger.info('The storage of the lease can be reached again.')
        this.#trouble = error
        if (!this.#running) this.#reportWaiting()
      },
    })
    this.#observe = observeLease(meter, `receiver/${id}`, () => this.#keeper.term !== undefined)
  }

  /** Throws when the receiver could not start; a collector that stands by has started. */
  async start(intake: Intake): Promise<void> {
    this.#intake = intake
    const held = await this.#keeper.start()
    await this.#turn
    if (this.#startError !== undefined) throw this.#startError
    if (held) return
    this.#options.logger.info(
      'Standing by: another collector has the lease, or the storage cannot be reached.',
    )
    this.#reportWaiting()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#turn
    if (this.#running) await this.#running.made.receiver.stop()
    else await this.#withdraw()
  }

  /** The lease is kept until the last checkpoint is written. */
  async close(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    try {
      await running?.made.receiver.close?.()
    } finally {
      await running?.made.close()
      await this.#withdraw()
      await this.#turn
      this.#observe()
    }
  }

  watermark(): bigint | undefined {
    return this.#running?.made.receiver.watermark()
  }

  async #begin(term: LeaseTerm): Promise<void> {
    if (this.#stopping || !term.held() || !this.#intake) return
    const { create, logger, reportStatus } = this.#options
    const made = create(() => (term.held() ? term.token : undefined))
    try {
      await made.receiver.start(termIntake(this.#intake, term, `receiver/${this.#options.id}`))
      this.#running = { made, term }
      this.#startError = undefined
      logger.info('This collector leads.', { term: term.token })
      reportStatus({ status: 'ok' })
    } catch (error) {
      this.#startError = error
      await closeReceiver(made, logger)
      logger.error('The receiver did not start.', { reason: errorText(error) })
      reportStatus({ status: 'recoverable_error', message: errorText(error) })
      // Another may be able to.
      await this.#keeper.giveUp(RETRY_START_MS)
    }
  }

  async #end(term: LeaseTerm): Promise<void> {
    const running = this.#running
    if (running?.term !== term) return
    this.#running = undefined
    await closeReceiver(running.made, this.#options.logger)
    if (this.#stopping) await this.#withdraw()
    else this.#reportWaiting()
  }

  /** While its pipelines drain, one that no longer reads must not have the lease that another could use. */
  #withdraw(): Promise<void> {
    return this.#keeper.close()
  }

  #reportWaiting(): void {
    const status: ComponentStatus = this.#trouble
      ? { status: 'recoverable_error', message: `Nobody can lead: ${errorText(this.#trouble)}` }
      : { status: 'ok', message: 'Standing by: another collector leads.' }
    this.#options.reportStatus(status)
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(task)
    this.#turn = turn.catch(error => {
      this.#options.logger.error('A change of the lease failed.', { reason: errorText(error) })
    })
    return turn
  }
}

/** After the term nothing more comes in, and what settles late is not released: the next holder reads it again. */
function termIntake(intake: Intake, { token, held, end }: LeaseTerm, lease: string): Intake {
  const term: Term = { lease, token, held, end }
  const within = async (offer: () => Promise<Settled | Busy>): Promise<Settled | Busy> => {
    if (!term.held()) return STOPPING
    const answer = await offer()
    if (answer.busy) return answer
    return {
      ...answer,
      release: () => {
        if (term.held()) answer.release()
      },
    }
  }
  return {
    offer: records => within(() => intake.offerAll([records], undefined, term)),
    offerAll: (batches, transport) => within(() => intake.offerAll(batches, transport, term)),
    ready: () => intake.ready(),
    discarded: (reason, count) => intake.discarded(reason, count),
    end: () => {
      if (term.held()) intake.end()
    },
  }
}

/** A failure is logged. */
export async function closeReceiver({ receiver, close }: TermReceiver, logger: Logger): Promise<void> {
  try {
    await receiver.stop()
    await receiver.close?.()
  } catch (error) {
    logger.warn('The receiver did not stop cleanly.', { reason: errorText(error) })
  }
  await close()
}
