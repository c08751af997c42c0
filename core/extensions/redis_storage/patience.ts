import type { Clock } from 'tocsin/component'

export interface PatienceOptions {
  readonly clock: Pick<Clock, 'schedule'>
  /** How long the other side may be silent. */
  readonly timeoutMs: number
  /** How many bytes have come from it; undefined where that cannot be told. */
  readonly bytesRead: () => number | undefined
  /** It has not said anything for this many times `timeoutMs` though something is asked. */
  readonly deaf: { readonly times: number; readonly act: () => void }
}

interface Wait {
  looks: number
  readonly giveUp: () => void
}

const LOOKS = 10

/**
 * Measures how long the other side is silent, and not how late this process is: it looks ten times within the time that
 * an answer may take, each time after a turn of the event loop that read what had come, and counts looks. A process
 * that was paused, or is busy for seconds, sees first what waits in its socket. Answers come in order, so each byte
 * says that the other side works on what was asked.
 */
export class Patience {
  readonly #options: PatienceOptions
  readonly #waits = new Set<Wait>()
  /** Asked and not answered, given up or not. */
  #open = 0
  #bytes: number | undefined
  #silentLooks = 0
  #looking = false

  constructor(options: PatienceOptions) {
    this.#options = options
  }

  /** Rejects with what `late` says when the other side is silent for too long; an answer that comes later is dropped. */
  wait<T>(answer: Promise<T>, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = { looks: 0, giveUp: () => reject(late()) }
      this.#waits.add(wait)
      this.#open++
      if (this.#open === 1) this.#silentLooks = 0
      const over = (): void => {
        this.#waits.delete(wait)
        this.#open--
      }
      answer.then(
        value => {
          over()
          resolve(value)
        },
        (error: unknown) => {
          over()
          reject(error)
        },
      )
      this.#look()
    })
  }

  #look(): void {
    if (this.#looking || this.#open === 0) return
    this.#looking = true
    this.#options.clock.schedule(this.#options.timeoutMs / LOOKS, () =>
      // Between timers and this the event loop reads its sockets.
      setImmediate(() => {
        this.#looking = false
        this.#looked()
        this.#look()
      }),
    )
  }

  #looked(): void {
    const { bytesRead, deaf } = this.#options
    const bytes = bytesRead()
    const spoke = bytes !== this.#bytes
    this.#bytes = bytes
    if (spoke) this.#silentLooks = 0
    else if (++this.#silentLooks > LOOKS * deaf.times) {
      this.#silentLooks = 0
      deaf.act()
    }
    for (const wait of this.#waits) {
      if (spoke) wait.looks = 0
      else if (++wait.looks > LOOKS) {
        this.#waits.delete(wait)
        wait.giveUp()
      }
    }
  }
}
