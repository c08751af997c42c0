import type { ComponentContext } from 'tocsin/component'

export interface FileLogMetrics {
  openFiles(change: number): void
  unsettledBatches(change: number): void
  restarted(reason: 'truncated' | 'rewritten' | 'cut'): void
  invalidEncoding(records: number): void
  oversized(records: number): void
  skippedNuls(bytes: number): void
}

export function createMetrics({ meter, id }: ComponentContext<unknown>): FileLogMetrics {
  const attributes = { receiver: id }
  const open = meter.createUpDownCounter('otelcol_fileconsumer_open_files', {
    description: 'Files that are open.',
  })
  const unsettled = meter.createUpDownCounter('tocsin_file_log_unsettled_batches', {
    description: 'Batches that were handed on and whose checkpoint is not durable yet.',
  })
  const restarts = meter.createCounter('tocsin_file_log_truncated_files', {
    description: 'Files that were truncated, rewritten or cut, and read again from the start or the cut.',
  })
  const invalid = meter.createCounter('tocsin_receiver_invalid_encoding_log_records', {
    description: 'Records in which bytes that are no character were replaced.',
  })
  const oversized = meter.createCounter('tocsin_receiver_oversized_log_records', {
    description: 'Records longer than max_log_size, which were split.',
  })
  const nuls = meter.createCounter('tocsin_receiver_skipped_nul_bytes', {
    description: 'NUL bytes around lines, which were skipped.',
  })
  return {
    openFiles: change => open.add(change, attributes),
    unsettledBatches: change => unsettled.add(change, attributes),
    restarted: reason => restarts.add(1, { ...attributes, reason }),
    invalidEncoding: records => records > 0 && invalid.add(records, attributes),
    oversized: records => records > 0 && oversized.add(records, attributes),
    skippedNuls: bytes => bytes > 0 && nuls.add(bytes, attributes),
  }
}
