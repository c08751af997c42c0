import { totalmem } from 'node:os'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** In bytes. */
export interface MemoryUse {
  /** Heap and buffers. */
  readonly used: number
  /** The JavaScript heap alone. */
  readonly heap: number
}

/** In bytes. */
export interface MemoryTotals {
  /** Of the container, else of the machine. */
  readonly available: number
  /** What V8 grants to the heap. */
  readonly heapLimit: number
}

export interface Memory {
  totals(): MemoryTotals
  use(): MemoryUse
  /** Collects garbage now: the process stands still meanwhile. */
  collect(): void
}

/** The memory of this process. */
export function processMemory(): Memory {
  let collect: (() => void) | undefined
  return {
    totals() {
      const constrained = process.constrainedMemory?.() || Number.POSITIVE_INFINITY
      return {
        available: Math.min(constrained, totalmem()),
        heapLimit: getHeapStatistics().heap_size_limit,
      }
    },
    use() {
      const { heapUsed, external } = process.memoryUsage()
      return { used: heapUsed + external, heap: heapUsed }
    },
    collect() {
      collect ??= garbageCollector()
      collect()
    },
  }
}

/**
 * While input is refused little is allocated, and V8 has no reason to collect: what is garbage would count as used
 * for good.
 */
function garbageCollector(): () => void {
  if (globalThis.gc) return globalThis.gc as () => void
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
