/** A key that wants to be woken. Cancelled items stay in the heap until they surface. */
export interface DueItem {
  readonly key: string
  readonly due: bigint
  live: boolean
}

/** The earliest first, then by key: a binary heap with lazy deletion. */
export class DueHeap {
  #items: DueItem[] = []
  #live = 0

  add(key: string, due: bigint): DueItem {
    const item = { key, due, live: true }
    this.#push(item)
    this.#live++
    return item
  }

  cancel(item: DueItem): void {
    if (!item.live) return
    item.live = false
    this.#live--
    // Dead items may outnumber the living by a bounded factor only.
    if (this.#items.length > 64 + this.#live * 2) this.#compact()
  }

  /** Up to `limit` items at or before `until`; they stay in the heap. */
  peek(until: bigint, limit: number): DueItem[] {
    const found: DueItem[] = []
    for (let top = this.#items[0]; top && found.length < limit; top = this.#items[0]) {
      if (top.due > until) break
      this.#pop()
      if (top.live) found.push(top)
    }
    for (const item of found) this.#push(item)
    return found
  }

  #compact(): void {
    const living = this.#items.filter(item => item.live)
    this.#items = living.sort((a, b) => (before(a, b) ? -1 : 1))
  }

  #push(item: DueItem): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = items[parent] as DueItem
      if (!before(item, above)) break
      items[at] = above
      at = parent
    }
    items[at] = item
  }

  #pop(): void {
    const items = this.#items
    const item = items.pop() as DueItem
    if (items.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && before(items[child + 1] as DueItem, items[child] as DueItem)) child++
      const below = items[child] as DueItem
      if (!before(below, item)) break
      items[at] = below
      at = child
    }
    items[at] = item
  }
}

function before(a: DueItem, b: DueItem): boolean {
  return a.due < b.due || (a.due === b.due && a.key < b.key)
}
