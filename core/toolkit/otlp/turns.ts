/** Work that may be put aside at each `yield`. */
export type Steps<T> = Generator<void, T, void>

/** How long it holds the thread, ms. One step that is large by itself may exceed it. */
const TURN_MS = 5

/** Does the work at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** Does the work in turns with everything else, so that a large request does not hold up the process. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const until = performance.now() + TURN_MS
    do {
      const step = steps.next()
      if (step.done) return step.value
    } while (performance.now() < until)
    await new Promise<void>(resolve => setImmediate(resolve))
  }
}
