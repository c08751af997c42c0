import { DEFAULT_PERCENTAGE, type MemoryLimiterConfig } from './config.js'
import type { MemoryTotals, MemoryUse } from './memory.js'

/** In bytes. */
export interface Limits {
  readonly soft: number
  readonly hard: number
  /** Of the JavaScript heap alone, where V8 ends the process. */
  readonly heapSoft: number
  readonly heapHard: number
}

export type Level = 'normal' | 'soft_limit' | 'hard_limit'

const MIB = 2 ** 20
const SPIKE_SHARE = 0.2
/** Of what V8 grants to the heap: near its end it only collects garbage. */
const HEAP_SOFT_SHARE = 0.75
const HEAP_HARD_SHARE = 0.9

export function limitsOf(config: MemoryLimiterConfig, { available, heapLimit }: MemoryTotals): Limits {
  const { limit_mib, spike_limit_mib, limit_percentage, spike_limit_percentage } = config
  const share = (percentage: number | undefined): number | undefined =>
    percentage === undefined ? undefined : (available * percentage) / 100
  const hard =
    limit_mib !== undefined ? limit_mib * MIB : (share(limit_percentage ?? DEFAULT_PERCENTAGE) as number)
  const spike =
    (limit_mib !== undefined
      ? spike_limit_mib === undefined
        ? undefined
        : spike_limit_mib * MIB
      : share(spike_limit_percentage)) ?? hard * SPIKE_SHARE
  return {
    hard,
    soft: hard - spike,
    heapSoft: heapLimit * HEAP_SOFT_SHARE,
    heapHard: heapLimit * HEAP_HARD_SHARE,
  }
}

export function levelOf({ used, heap }: MemoryUse, limits: Limits): Level {
  if (used >= limits.hard || heap >= limits.heapHard) return 'hard_limit'
  return used >= limits.soft || heap >= limits.heapSoft ? 'soft_limit' : 'normal'
}
