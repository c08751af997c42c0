import type { ComponentContext } from 'tocsin/component'

export interface StdinMetrics {
  invalidEncoding(records: number): void
  oversized(records: number): void
  skippedNuls(bytes: number): void
}

export function createMetrics({ meter, id }: ComponentContext<unknown>): StdinMetrics {
  const attributes = { receiver: id }
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
    invalidEncoding: records => records > 0 && invalid.add(records, attributes),
    oversized: records => records > 0 && oversized.add(records, attributes),
    skippedNuls: bytes => bytes > 0 && nuls.add(bytes, attributes),
  }
}
