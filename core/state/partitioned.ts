import type {
  ClaimedTimer,
  JournalRef,
  StateChange,
  StateEntry,
  StateRead,
  StateStore,
  StateWritten,
  WrittenBy,
} from '../component/storage.js'

/** One store made of several, each with a part of the keys: a call goes to all that it concerns at the same time. */
export function partitionedState<S>(parts: readonly StateStore<S>[]): StateStore<S> {
  return new PartitionedState(parts)
}

/** The part of a key, for all collectors and versions: FNV-1a over UTF-16 units, modulo the number of parts. */
export function partOf(key: string, parts: number): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (hash >>> 0) % parts
}

/** How many keys each part may hold so that an uneven spread does not evict before there are `maxKeys` of them. */
export function partMaxKeys(maxKeys: number, parts: number): number {
  const mean = maxKeys / parts
  return Math.ceil(mean + 4 * Math.sqrt(mean))
}

class PartitionedState<S> implements StateStore<S> {
  readonly #parts: readonly StateStore<S>[]
  #nextClaim = 0

  constructor(parts: readonly StateStore<S>[]) {
    this.#parts = parts
  }

  async read(requests: readonly StateRead[]): Promise<readonly StateEntry<S>[]> {
    const answers = new Array<StateEntry<S>>(requests.length)
    await this.#each(requests, async (part, some, places) => {
      const entries = await part.read(some)
      for (const [at, place] of places.entries()) answers[place] = entries[at] as StateEntry<S>
    })
    return answers
  }

  async write(changes: readonly StateChange<S>[], now: bigint, by?: WrittenBy): Promise<StateWritten> {
    const applied = new Array<boolean>(changes.length)
    const versions = new Array<string | undefined>(changes.length)
    let evicted = 0
    await this.#each(changes, async (part, some, places) => {
      const written = await part.write(some, now, by)
      evicted += written.evicted
      for (const [at, place] of places.entries()) {
        applied[place] = written.applied[at] === true
        versions[place] = written.versions[at]
      }
    })
    return { applied, versions, evicted }
  }

  async due(until: bigint, limit: number) {
    const quota = Math.min(limit, Math.max(16, Math.ceil((2 * limit) / this.#parts.length)))
    const found = await Promise.all(this.#parts.map(part => part.due(until, quota)))
    // A part that gave its quota may hold more: what is later than its last must wait for the next call.
    let border: bigint | undefined
    for (const some of found) {
      const last = some.length === quota ? some.at(-1)?.due : undefined
      if (last !== undefined && (border === undefined || last < border)) border = last
    }
    return found
      .flat()
      .filter(({ due }) => border === undefined || due <= border)
      .sort((a, b) => (a.due < b.due ? -1 : a.due > b.due ? 1 : a.key < b.key ? -1 : 1))
      .slice(0, limit)
  }

  async claim(before: bigint, now: bigint, limit: number): Promise<readonly ClaimedTimer[]> {
    const claimed: ClaimedTimer[] = []
    for (let visited = 0; visited < this.#parts.length && claimed.length < limit; ) {
      const left = limit - claimed.length
      const count = Math.min(this.#parts.length - visited, left)
      const group = Array.from(
        { length: count },
        (_, at) => this.#parts[(this.#nextClaim + at) % this.#parts.length] as StateStore<S>,
      )
      const found = await Promise.all(
        group.map(part => part.claim(before, now, Math.max(1, Math.floor(left / count)))),
      )
      claimed.push(...found.flat())
      this.#nextClaim = (this.#nextClaim + count) % this.#parts.length
      visited += count
    }
    return claimed
  }

  async release(entries: readonly JournalRef[]): Promise<void> {
    await this.#each(entries, (part, some) => part.release(some))
  }

  async #each<T extends { readonly key: string }>(
    items: readonly T[],
    run: (part: StateStore<S>, some: T[], places: number[]) => Promise<void>,
  ): Promise<void> {
    const groups = new Map<number, { some: T[]; places: number[] }>()
    for (const [place, item] of items.entries()) {
      const part = partOf(item.key, this.#parts.length)
      const group = groups.get(part)
      if (group) {
        group.some.push(item)
        group.places.push(place)
      } else groups.set(part, { some: [item], places: [place] })
    }
    const runs = Array.from(groups, ([part, { some, places }]) =>
      run(this.#parts[part] as StateStore<S>, some, places),
    )
    // All have ended before the caller goes on: a late write of one part must not meet a second try of another.
    const ended = await Promise.allSettled(runs)
    for (const end of ended) if (end.status === 'rejected') throw end.reason
  }
}
