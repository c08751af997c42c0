/** Numbers a slot takes: the two halves of the hash; and the pass in 16 bits, how many equal lines and how many met in 8. */
const SLOT_WORDS = 3
const SLOT_BYTES = SLOT_WORDS * 4
const FULL = 0.85
/** Of a table of which it is known how many lines come, about, and of others. */
const GROWTH = 1.25
const FIRST_GROWTH = 2
const LEAST_SLOTS = 4
/** From so many equal lines on they are counted beside the table. */
const MANY = 255

interface Many {
  count: number
  met: number
}

/** An open-addressed hash table. `meta` of a slot is 0 while it is free. */
export class SeenTable {
  size = 0
  #slots: number
  #words: Uint32Array
  /** Lines with more equals than fit into a slot, by their slot's hash. */
  #many: Map<string, Many> | undefined

  readonly #growth: number

  /** Of about so many; 0: nobody knows. */
  constructor(lines: number) {
    this.#growth = lines === 0 ? FIRST_GROWTH : GROWTH
    this.#slots = Math.ceil(lines / FULL) + LEAST_SLOTS
    this.#words = new Uint32Array(this.#slots * SLOT_WORDS)
  }

  get bytes(): number {
    return this.#slots * SLOT_BYTES
  }

  meet(high: number, low: number, pass: number): boolean {
    const at = this.#find(high, low)
    const meta = this.#words[at + 2] as number
    if (meta === 0) return false
    const many = this.#manyOf(meta, high, low)
    const count = many ? many.count : (meta >>> 8) & 0xff
    const met = meta >>> 16 === pass ? (many ? many.met : meta & 0xff) : 0
    if (met >= count) return false
    this.#write(at, pass, count, met + 1, many)
    return true
  }

  /** -1 where it `meets` what is there instead. */
  add(high: number, low: number, pass: number, meets: boolean): number {
    const at = this.#find(high, low)
    const meta = this.#words[at + 2] as number
    if (meta === 0) {
      this.#words[at] = high
      this.#words[at + 1] = low
      this.#write(at, pass, 1, 1, undefined)
      this.size++
      if (this.size > this.#slots * FULL) this.#grow()
      return 0
    }
    let many = this.#manyOf(meta, high, low)
    const count = many ? many.count : (meta >>> 8) & 0xff
    const met = meta >>> 16 === pass ? (many ? many.met : meta & 0xff) : 0
    if (meets && met < count) {
      this.#write(at, pass, count, met + 1, many)
      return -1
    }
    if (count + 1 >= MANY && !many) {
      many = { count, met }
      this.#many ??= new Map()
      this.#many.set(keyOf(high, low), many)
    }
    this.#write(at, pass, count + 1, met + 1, many)
    return count
  }

  /** The slot of this hash, or the free one where it would go. */
  #find(high: number, low: number): number {
    const words = this.#words
    const end = this.#slots * SLOT_WORDS
    let at = Math.floor((low / 2 ** 32) * this.#slots) * SLOT_WORDS
    while (words[at + 2] !== 0 && (words[at] !== high || words[at + 1] !== low)) {
      at += SLOT_WORDS
      if (at === end) at = 0
    }
    return at
  }

  #manyOf(meta: number, high: number, low: number): Many | undefined {
    return ((meta >>> 8) & 0xff) === MANY ? this.#many?.get(keyOf(high, low)) : undefined
  }

  #write(at: number, pass: number, count: number, met: number, many: Many | undefined): void {
    if (many) {
      many.count = count
      many.met = met
    }
    this.#words[at + 2] = (pass << 16) | (Math.min(count, MANY) << 8) | Math.min(met, MANY)
  }

  #grow(): void {
    const old = this.#words
    this.#slots = Math.ceil(this.#slots * this.#growth) + LEAST_SLOTS
    this.#words = new Uint32Array(this.#slots * SLOT_WORDS)
    for (let from = 0; from < old.length; from += SLOT_WORDS) {
      const meta = old[from + 2] as number
      if (meta === 0) continue
      const at = this.#find(old[from] as number, old[from + 1] as number)
      this.#words[at] = old[from] as number
      this.#words[at + 1] = old[from + 1] as number
      this.#words[at + 2] = meta
    }
  }
}

function keyOf(high: number, low: number): string {
  return `${high}.${low}`
}
