import { type Clock, errorText, isTocsinError, type Logger } from '../component/index.js'
import { MinuteLog } from '../component/minute-log.js'
import type { DeadLetter, DeadLetters, Delivery } from '../delivery/index.js'

export interface DeadLetterRetriesOptions {
  readonly deadLetters: DeadLetters
  /** The delivery of an exporter. */
  delivery(id: string): Delivery | undefined
  /** False while another collector with the same dead letters does it. */
  mayLook(): boolean
  /** Looks come no more often than time does in the pipelines: in a rehearsal it is sent by hand. */
  readonly tickMs?: number | undefined
  readonly clock: Clock
  readonly logger: Logger
}

const LOOK_EVERY_MS = 2_000
/** Letters on their way at a time. */
const MAX_PENDING = 100
/** Only what exporters gave up can be queued again. */
const EXPORTER = 'exporter/'

/**
 * Queues the dead letters again that someone asked for (`tocsin dead-letter retry`). A letter goes only when its
 * records are settled: after a crash in between it is sent again, with the same event ids.
 */
export class DeadLetterRetries {
  readonly #options: DeadLetterRetriesOptions
  /** By letter: gives up waiting for its settlement. */
  readonly #pending = new Map<string, () => void>()
  readonly #running = new Set<Promise<void>>()
  readonly #closed = new AbortController()
  #cancel: () => void = () => undefined
  #stopped = false
  readonly #minuteLog: MinuteLog

  constructor(options: DeadLetterRetriesOptions) {
    this.#options = options
    this.#minuteLog = new MinuteLog(options.clock)
  }

  start(): void {
    this.#run(this.#look())
  }

  /** Takes no more letters; those on their way may still settle. */
  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** After the deliveries have stopped: what did not settle stays for the next start. */
  async close(): Promise<void> {
    this.#closed.abort()
    for (const giveUp of this.#pending.values()) giveUp()
    await Promise.all(this.#running)
    this.#minuteLog.close()
  }

  #run(task: Promise<void>): void {
    const running = task.catch(error => this.#failed(error)).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  #failed(error: unknown): void {
    if (this.#stopped) return
    this.#minuteLog.add('failed', 1, times =>
      this.#options.logger.warn('The dead letters fail; they are looked at again.', {
        reason: errorText(error),
        ...(times > 1 && { times }),
      }),
    )
  }

  async #look(): Promise<void> {
    const { deadLetters, clock, mayLook, tickMs = 0 } = this.#options
    try {
      const wanted = mayLook() ? await deadLetters.retryRequests(MAX_PENDING) : []
      for (const id of wanted) {
        if (this.#stopped) break
        if (!this.#pending.has(id)) await this.#retry(id)
      }
    } finally {
      if (!this.#stopped) {
        this.#cancel = clock.schedule(Math.max(LOOK_EVERY_MS, tickMs), () => this.start())
      }
    }
  }

  /** Resolves when the letter is handed to the queue, so that letters keep their order. */
  async #retry(id: string): Promise<void> {
    const { deadLetters, logger } = this.#options
    const letter = await this.#read(id)
    const exporter = letter?.component.startsWith(EXPORTER)
      ? letter.component.slice(EXPORTER.length)
      : undefined
    const delivery = exporter === undefined ? undefined : this.#options.delivery(exporter)
    if (!letter || !delivery) {
      if (letter) {
        const { component } = letter
        logger.warn('A dead letter cannot be sent again: its exporter is not running.', { component, id })
      }
      return deadLetters.withdrawRetry([id])
    }
    const settled = new Promise<boolean>(resolve => {
      this.#pending.set(id, () => resolve(false))
      delivery
        .enqueue(letter.records, letter.pipeline, () => resolve(true))
        // It has stopped.
        .catch(() => resolve(false))
    })
    this.#run(
      settled.then(async done => {
        if (done) await this.#remove(id)
        this.#pending.delete(id)
      }),
    )
  }

  /** Until it works: what was sent must not be sent once more. */
  async #remove(id: string): Promise<void> {
    const { deadLetters, clock } = this.#options
    for (;;) {
      try {
        await deadLetters.remove([id])
        return
      } catch (error) {
        this.#failed(error)
        await clock.sleep(LOOK_EVERY_MS, this.#closed.signal)
        if (this.#closed.signal.aborted) return
      }
    }
  }

  async #read(id: string): Promise<DeadLetter | undefined> {
    try {
      return await this.#options.deadLetters.lend(id)
    } catch (error) {
      // The store is not there: the next look asks again.
      if (isTocsinError(error) && error.retryable) throw error
      const reason = errorText(error)
      this.#options.logger.error('A dead letter cannot be read; it stays.', { id, reason })
      return undefined
    }
  }
}
