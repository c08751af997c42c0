/** A key that wants to be woken. The heap keeps `place`: where it is, below zero while it is not in it. */
export interface Due {
  readonly key: string
  due: bigint | undefined
  place: number
}

type Waiting = Due & { readonly due: bigint }

/** The earliest first, then by key: a binary heap whose items know their place, so that one that changes moves from there. */
export class DueHeap {
  readonly #items: Waiting[] = []

  get size(): number {
    return this.#items.length
  }

  /** Adds, moves or removes an item: `due` undefined, it waits for nothing. */
  set(item: Due, due: bigint | undefined): void {
    if (item.place < 0) {
      item.due = due
      if (due === undefined) return
      this.#items.push(item as Waiting)
      this.#rise(item as Waiting, this.#items.length - 1)
    } else if (due === undefined) {
      this.#remove(item as Waiting)
      item.due = undefined
    } else if (due !== item.due) {
      const earlier = due < (item as Waiting).due
      item.due = due
      if (earlier) this.#rise(item as Waiting, item.place)
      else this.#sink(item as Waiting, item.place)
    }
  }

  /** Up to `limit` items at or before `until`, in order; they stay in the heap. */
  peek(until: bigint, limit: number): Waiting[] {
    const found: Waiting[] = []
    for (let top = this.#items[0]; top && found.length < limit; top = this.#items[0]) {
      if (top.due > until) break
      found.push(top)
      this.#remove(top)
    }
    for (const item of found) this.set(item, item.due)
    return found
  }

  #remove(item: Waiting): void {
    const at = item.place
    const last = this.#items.pop() as Waiting
    item.place = -1
    if (last === item) return
    if (before(last, item)) this.#rise(last, at)
    else this.#sink(last, at)
  }

  #rise(item: Waiting, from: number): void {
    const items = this.#items
    let at = from
    while (at > 0) {
      const above = items[(at - 1) >> 1] as Waiting
      if (!before(item, above)) break
      items[at] = above
      above.place = at
      at = (at - 1) >> 1
    }
    items[at] = item
    item.place = at
  }

  #sink(item: Waiting, from: number): void {
    const items = this.#items
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && before(items[child + 1] as Waiting, items[child] as Waiting)) child++
      const below = items[child] as Waiting
      if (!before(below, item)) break
      items[at] = below
      below.place = at
      at = child
    }
    items[at] = item
    item.place = at
  }
}

function before(a: Waiting, b: Waiting): boolean {
  return a.due < b.due || (a.due === b.due && a.key < b.key)
}
