import { AsyncResource } from 'node:async_hooks'
import { isWaiting } from '../component/in-slices.js'
import { type Clock, onAbort } from '../component/index.js'

interface Task {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/**
 * A clock that stands still until it is told to move. `advance` runs what falls due, in order of time, and lets
 * promises and pending I/O callbacks run after each.
 */
export class VirtualClock implements Clock {
  #elapsedMs = 0
  #order = 0
  readonly #tasks = new Set<Task>()
  readonly #start: bigint

  /** `start`: ns since the epoch, or an RFC 3339 time. */
  constructor(start: bigint | string = '2026-01-15T10:00:00Z') {
    this.#start = typeof start === 'bigint' ? start : BigInt(Date.parse(start)) * 1_000_000n
  }

  now(): bigint {
    return this.#start + BigInt(Math.round(this.#elapsedMs * 1e6))
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  /** In the asynchronous context of who called, as with real timers. */
  schedule(delayMs: number, run: () => void): () => void {
    const at = this.#elapsedMs + Math.max(0, delayMs)
    // Not AsyncResource.bind, which takes ten times as long: rehearsals set a timer for each second of hours.
    const caller = new AsyncResource('VirtualClock')
    const task = { at, order: this.#order++, run: () => caller.runInAsyncScope(run) }
    this.#tasks.add(task)
    return () => this.#tasks.delete(task)
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const finish = (): void => {
        cancel()
        forget?.()
        resolve()
      }
      const cancel = this.schedule(delayMs, finish)
      const forget = signal && onAbort(signal, finish)
    })
  }

  /** How many timers are waiting: a test of leaks looks here. */
  get pending(): number {
    return this.#tasks.size
  }

  /** ms until the next timer; undefined when there is none. */
  get nextMs(): number | undefined {
    const next = this.#next(Number.POSITIVE_INFINITY)
    return next && Math.max(0, next.at - this.#elapsedMs)
  }

  async advance(ms: number): Promise<void> {
    const end = this.#elapsedMs + ms
    await settleMicrotasks()
    for (let task = this.#next(end); task; task = this.#next(end)) {
      this.#tasks.delete(task)
      this.#elapsedMs = Math.max(this.#elapsedMs, task.at)
      task.run()
      await settleMicrotasks()
    }
    this.#elapsedMs = end
    await settleMicrotasks()
  }

  #next(end: number): Task | undefined {
    let next: Task | undefined
    for (const task of this.#tasks) {
      if (task.at > end || task.at === Number.POSITIVE_INFINITY) continue
      if (!next || task.at < next.at || (task.at === next.at && task.order < next.order)) next = task
    }
    return next
  }
}

/** Lets promises and the event loop's ready callbacks run, and works that share its turns. */
export async function settleMicrotasks(): Promise<void> {
  for (let turn = 0; turn < 3 || isWaiting(); turn++) await new Promise(resolve => setImmediate(resolve))
}
