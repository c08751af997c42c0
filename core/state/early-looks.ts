import type { EarlyLook, Keyed } from '../component/processor.js'
import type { StateStore } from '../component/storage.js'
import type { KeyWork } from './step-key.js'

/** The largest time of a timer: 2262, the end of int64. */
const ALL_TIME = 2n ** 63n - 1n
const MOST_LOOKED_AT = 1_000_000

/** The looks at keys before their time that a component asks for, a few keys at a time. */
export class EarlyLooks<S> {
  readonly #keyed: Pick<Keyed<S, never, never>, 'lookEarly'>
  readonly #due: StateStore<S>['due']
  #running: { readonly of: EarlyLook<S>; readonly keys: string[] } | undefined

  /** `due`: of the store; it rejects only when all is over. */
  constructor(keyed: Pick<Keyed<S, never, never>, 'lookEarly'>, due: StateStore<S>['due']) {
    this.#keyed = keyed
    this.#due = due
  }

  get running(): boolean {
    return this.#running !== undefined
  }

  /** Asks the component whether it wants one. */
  async begin(): Promise<void> {
    const of = this.#running ? undefined : this.#keyed.lookEarly?.()
    if (!of) return
    const all = await this.#due(ALL_TIME, MOST_LOOKED_AT)
    this.#running = { of, keys: all.map(({ key }) => key).filter(key => of.wants(key)) }
  }

  /** The next keys, to be woken at `until`. One whose timer runs now comes with the next call. */
  next<E>(busy: ReadonlySet<string>, until: bigint | undefined, limit: number): KeyWork<E>[] {
    if (!this.#running) return []
    const { keys } = this.#running
    const next = keys.splice(0, limit)
    keys.push(...next.filter(key => busy.has(key)))
    // While the time is not known no timer may run.
    const wake = until ?? 0n
    return next
      .filter(key => !busy.has(key))
      .map(key => ({ key, visits: [], until: undefined, tried: [], wake }))
  }

  seen(key: string, state: S | undefined): void {
    this.#running?.of.seen?.(key, state)
  }

  /** The keys of the last `next` have been seen. */
  advanced(): void {
    if (this.#running?.keys.length !== 0) return
    this.#running.of.done?.()
    this.#running = undefined
  }
}
