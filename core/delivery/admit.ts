import type { Item } from './queued-request.js'

/** Somebody waits until all of these items are in the queue. */
export interface Put {
  readonly items: readonly Item[]
  /** How many of them are on their way in. */
  next: number
  resolve(): void
  reject(error: unknown): void
}

export interface Admitted {
  readonly items: Item[]
  /** Puts that are in as a whole with these items; no longer among `puts`. */
  readonly finished: Put[]
  /** Of the items. */
  size: number
  records: number
}

/** At most this much is written to the durable store at a time. */
const WRITE_ITEMS = 512
const WRITE_BYTES = 4 * 2 ** 20

/** Takes what fits from the waiting puts, in order. An item that is larger than the whole queue fits an empty one. */
export function admit(puts: Put[], used: number, capacity: number): Admitted {
  const admitted: Admitted = { items: [], finished: [], size: 0, records: 0 }
  const { items, finished } = admitted
  let bytes = 0
  for (let put = puts[0]; put; put = puts[0]) {
    for (; put.next < put.items.length; put.next++) {
      const item = put.items[put.next] as Item
      const size = used + admitted.size
      if (size > 0 && size + item.whole.size > capacity) return admitted
      bytes += item.whole.encoded?.length ?? 0
      if (items.length > 0 && (items.length >= WRITE_ITEMS || bytes > WRITE_BYTES)) return admitted
      admitted.size += item.whole.size
      admitted.records += item.records.length
      items.push(item)
    }
    finished.push(put)
    puts.shift()
  }
  return admitted
}
