/** Work that may be put aside at each `yield`. */
export type Steps<T> = Generator<void, T, void>

/** How long a slice holds the thread, ms. One step that is large by itself may exceed it. */
const SLICE_MS = 3

/** Runs long work step by step, in slices of a few milliseconds between which the event loop goes on. */
export async function inSlices<T>(steps: Steps<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    signal?.throwIfAborted()
    const until = performance.now() + SLICE_MS
    do {
      const step = steps.next()
      if (step.done) return step.value
    } while (performance.now() < until)
    await new Promise<void>(resolve => setImmediate(resolve))
  }
}

/** Runs it at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/**
 * For work in pieces that follow each other without a turn of the event loop, each long by itself: one after another they would hold up
 * everything else. A piece waits for what this answers; undefined while the turn is young.
 */
export class Breather {
  /** When this turn had its first piece. */
  #since: number | undefined

  pause(): Promise<void> | undefined {
    if (this.#since === undefined) {
      this.#since = performance.now()
      setImmediate(() => {
        this.#since = undefined
      })
      return undefined
    }
    if (performance.now() - this.#since < SLICE_MS) return undefined
    return new Promise(resolve => setImmediate(resolve))
  }
}
