import type { KeyValueChange, KeyValueStore } from 'tocsin/component'
import type { Beside } from './changes.js'
import { FINE_KEPT_MS } from './figures.js'
import { after, backwards, forwards, reversed } from './keys.js'
import { entries, parse, remove, write } from './stored.js'

/** Entries that go at a time. */
const PART = 500
const PARTS = 20
/** Where others write too, entries are counted anew after this. */
const RECOUNT_MS = 600_000
/** What a collector changed is told to the others for so long. */
export const NOTICE_MS = 60_000

export interface RetentionOptions {
  store(): KeyValueStore
  now(): number
  readonly retentionMs: number
  readonly maxEntries: number
  readonly shared: boolean
}

/** Removes what is too old, and the oldest where there is too much. */
export class Retention {
  /** Entries in the storage, once counted. */
  #entries: number | undefined
  #countedAt = 0

  constructor(private readonly options: RetentionOptions) {}

  /** So many entries were written, or written again. */
  added(entries: number): void {
    if (this.#entries !== undefined) this.#entries += entries
  }

  /** It is worth while before its time. */
  get isOver(): boolean {
    const { maxEntries } = this.options
    return this.#entries !== undefined && this.#entries > maxEntries + Math.max(100, maxEntries / 20)
  }

  async run(): Promise<void> {
    const { store, now, retentionMs, maxEntries, shared } = this.options
    const kv = store()
    const isOld = this.#entries === undefined || (shared && now() - this.#countedAt > RECOUNT_MS)
    // What is written again counts twice until it is counted anew.
    if (isOld || this.isOver) await this.#count(kv)
    for (let part = 0; part < PARTS; part++) {
      const excess = (this.#entries ?? 0) - maxEntries
      const until = excess > 0 ? 'o0' : `o/${forwards(now() - retentionMs)}`
      const old = await kv.range('o/', until, excess > 0 ? Math.min(excess, PART) : PART)
      if (old.length === 0) break
      await write(
        kv,
        old.flatMap(([key, value]) => removals(key, parse<Beside>(value) ?? {})),
      )
      this.#entries = Math.max(0, (this.#entries ?? 0) - old.length)
    }
    await clear(kv, `f/${backwards(now() - FINE_KEPT_MS - RECOUNT_MS)}`, 'f0')
    await clear(kv, `g/${backwards(now() - retentionMs)}`, 'g0')
    await clear(kv, 'd/', `d/${forwards(now() - NOTICE_MS)}`)
  }

  async #count(kv: KeyValueStore): Promise<void> {
    let count = 0
    for await (const _ of entries(kv, 'o/', after('o'))) count++
    this.#entries = count
    this.#countedAt = this.options.now()
  }
}

function removals(key: string, { alert, end }: Beside): KeyValueChange[] {
  const [, time = '', kind = '', id = ''] = key.split('/')
  const at = reversed(time)
  const gone = [key, `${kind}/${at}/${id}`]
  if (kind === 'n' && alert !== undefined) gone.push(`i/${alert}/${at}/${id}`)
  if (end && alert !== undefined) gone.push(...['x', 's', 't', 'l', 'r'].map(prefix => `${prefix}/${alert}`))
  return gone.map(remove)
}

async function clear(kv: KeyValueStore, from: string, to: string): Promise<void> {
  for (let part = 0; part < PARTS; part++) {
    const old = await kv.range(from, to, PART)
    if (old.length === 0) return
    await write(
      kv,
      old.map(([key]) => remove(key)),
    )
  }
}
