import type { Meter } from '@opentelemetry/api'
import type { Clock } from '../component/index.js'

/** The Collector's `otelcol_process_*` metrics. The answer stops observing. */
export function observeProcess(meter: Meter, clock: Clock): () => void {
  const startedMs = clock.monotonicMs()
  const uptime = meter.createObservableCounter('otelcol_process_uptime', {
    unit: 's',
    description: 'Uptime of the process.',
  })
  const cpu = meter.createObservableCounter('otelcol_process_cpu_seconds', {
    unit: 's',
    description: 'Total CPU user and system time.',
  })
  const rss = meter.createObservableGauge('otelcol_process_memory_rss', {
    unit: 'By',
    description: 'Total physical memory (resident set size).',
  })
  const heap = meter.createObservableGauge('otelcol_process_runtime_heap_alloc_bytes', {
    unit: 'By',
    description: 'Bytes of allocated heap objects.',
  })
  const system = meter.createObservableGauge('otelcol_process_runtime_total_sys_memory_bytes', {
    unit: 'By',
    description: 'Total bytes of memory obtained from the operating system.',
  })
  const all = [uptime, cpu, rss, heap, system]
  const observe: Parameters<Meter['addBatchObservableCallback']>[0] = result => {
    const memory = process.memoryUsage()
    const { user, system: kernel } = process.cpuUsage()
    result.observe(uptime, (clock.monotonicMs() - startedMs) / 1_000)
    result.observe(cpu, (user + kernel) / 1e6)
    result.observe(rss, memory.rss)
    result.observe(heap, memory.heapUsed)
    result.observe(system, memory.heapTotal + memory.external)
  }
  meter.addBatchObservableCallback(observe, all)
  return () => meter.removeBatchObservableCallback(observe, all)
}
