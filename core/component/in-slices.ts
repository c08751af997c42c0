/** Work that may be put aside at each `yield`. */
export type Steps<T> = Generator<void, T, void>

/** How long a slice holds the thread, ms. One step that is large by itself may exceed it. */
const SLICE_MS = 3

/** Runs long work step by step, in slices of a few milliseconds between which the event loop goes on. */
export async function inSlices<T>(steps: Steps<T>, signal?: AbortSignal): Promise<T> {
  isYoung()
  for (;;) {
    signal?.throwIfAborted()
    const until = performance.now() + SLICE_MS
    do {
      const step = steps.next()
      if (step.done) return step.value
    } while (performance.now() < until)
    await later()
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
 * everything else. A piece waits for what this answers, in the order of the calls; undefined while the turn is young: then it begins at once,
 * with no `await` in between, or others would find the turn as young.
 */
export function breather(): Promise<void> | undefined {
  return isYoung() ? undefined : later()
}

/** Whether somebody waits for a turn: for tests, to which an injected clock says that all is done. */
export function isWaiting(): boolean {
  return waiting > 0
}

let waiting = 0

/** When this turn of the event loop had its first slice or piece. One for all: a turn is long by all that is in it. */
let since: number | undefined

function isYoung(): boolean {
  if (since !== undefined) return performance.now() - since < SLICE_MS
  since = performance.now()
  setImmediate(() => {
    since = undefined
  })
  return true
}

/** Of those who wait, one after another has a turn. */
async function later(): Promise<void> {
  waiting++
  do await new Promise<void>(resolve => setImmediate(resolve))
  while (!isYoung())
  waiting--
}
