import { type Busy, type ComponentContext, durationMs, type Mapper, type Records } from 'tocsin/component'
import type { MemoryLimiterConfig } from './config.js'
import { type Level, type Limits, levelOf, limitsOf } from './limits.js'
import { type Memory, type MemoryUse, processMemory } from './memory.js'

const MIB = 2 ** 20
/** Collecting stops the process for a moment; above the hard limit each look may do it. */
const COLLECT_EVERY_MS = { soft_limit: 10_000, hard_limit: 0 } as const

/** Refuses input while the memory is short, so that what is on its way can be finished. */
export function createMemoryLimiter(
  context: ComponentContext<MemoryLimiterConfig>,
  memory: Memory = processMemory(),
): Mapper {
  return new MemoryLimiter(context, memory)
}

class MemoryLimiter implements Mapper {
  readonly #context: ComponentContext<MemoryLimiterConfig>
  readonly #memory: Memory
  readonly #limits: Limits
  readonly #intervalMs: number
  readonly #labels: { readonly processor: string; readonly pipeline: string }
  readonly #refused
  readonly #accepted
  readonly #busy: Busy
  #use: MemoryUse
  #level: Level = 'normal'
  #collectedMs = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined

  constructor(context: ComponentContext<MemoryLimiterConfig>, memory: Memory) {
    const { config } = context
    const { meter, id, pipeline = '' } = context
    this.#context = context
    this.#memory = memory
    this.#limits = limitsOf(config, memory.totals())
    this.#use = memory.use()
    this.#intervalMs = durationMs(config.check_interval)
    this.#busy = { busy: true, retryAfterMs: Math.max(1_000, this.#intervalMs), reason: 'memory_limit' }
    this.#labels = { processor: id, pipeline }
    this.#accepted = meter.createCounter('otelcol_processor_accepted_log_records', {
      description: 'Number of log records successfully pushed into the next component in the pipeline.',
    })
    this.#refused = meter.createCounter('otelcol_processor_refused_log_records', {
      description: 'Number of log records that were rejected by the next component in the pipeline.',
    })
    this.#observe()
  }

  async start(): Promise<void> {
    this.#check()
  }

  async stop(): Promise<void> {
    this.#cancel?.()
  }

  admit(records: Records): Busy | undefined {
    if (this.#level === 'normal') return undefined
    this.#refused.add(records.length, this.#labels)
    return this.#busy
  }

  process(records: Records): Records {
    this.#accepted.add(records.length, this.#labels)
    return records
  }

  #check(): void {
    this.#look()
    this.#cancel = this.#context.clock.schedule(this.#intervalMs, () => this.#check())
  }

  #look(): void {
    this.#use = this.#memory.use()
    let level = levelOf(this.#use, this.#limits)
    const now = this.#context.clock.monotonicMs()
    if (level !== 'normal' && now - this.#collectedMs >= COLLECT_EVERY_MS[level]) {
      this.#memory.collect()
      this.#collectedMs = now
      this.#use = this.#memory.use()
      level = levelOf(this.#use, this.#limits)
    }
    if (level !== this.#level) this.#report(level)
    this.#level = level
  }

  #report(level: Level): void {
    const { logger, reportStatus } = this.#context
    const { used, heap } = this.#use
    const sizes = { used_mib: mib(used), heap_mib: mib(heap), limit_mib: mib(this.#limits.hard) }
    if (level === 'normal') {
      logger.info('The memory is back below the soft limit: input is taken again.', sizes)
      reportStatus({ status: 'ok' })
      return
    }
    const limit = level === 'soft_limit' ? 'soft' : 'hard'
    const message = `The memory is above the ${limit} limit: input is refused until it is below the soft limit.`
    logger.warn(message, sizes)
    reportStatus({ status: 'recoverable_error', message: `${message} ${mib(used)} MiB are used.` })
  }

  #observe(): void {
    const { meter } = this.#context
    const used = meter.createObservableGauge('tocsin_memory_limiter_used_bytes', {
      unit: 'By',
      description: 'Heap and buffers at the last look.',
    })
    const limit = meter.createObservableGauge('tocsin_memory_limiter_limit_bytes', {
      unit: 'By',
      description: 'The soft and the hard limit.',
    })
    used.addCallback(result => result.observe(this.#use.used, this.#labels))
    limit.addCallback(result => {
      result.observe(this.#limits.soft, { ...this.#labels, limit: 'soft' })
      result.observe(this.#limits.hard, { ...this.#labels, limit: 'hard' })
    })
  }
}

function mib(bytes: number): number {
  return Math.round(bytes / MIB)
}
