import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.js'

describe('createMetrics', () => {
  it('has every series from the start, with the receiver in it', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
    const provider = new MeterProvider({ readers: [reader] })
    const metrics = createMetrics({ meter: provider.getMeter('test'), id: 'victorialogs/ssh' })
    metrics.up(1)
    metrics.backfilled(3, 'gap')
    await reader.forceFlush()
    const series = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(scope => scope.metrics))
      .flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => [descriptor.name, attributes, value]),
      )
    await provider.shutdown()
    const receiver = 'victorialogs/ssh'
    expect(series).toEqual([
      ['tocsin_victorialogs_up', { receiver }, 1],
      ['tocsin_victorialogs_stream_ends', { receiver }, 0],
      ['tocsin_victorialogs_failures_in_a_row', { receiver }, 0],
      ['tocsin_victorialogs_last_tail_timestamp_seconds', { receiver }, 0],
      ['tocsin_victorialogs_reconnections', { receiver }, 0],
      ['tocsin_victorialogs_backfilled_log_records', { receiver, kind: 'gap' }, 3],
      ['tocsin_victorialogs_backfilled_log_records', { receiver, kind: 'reconcile' }, 0],
      ['tocsin_victorialogs_query_failures', { receiver }, 0],
      ['tocsin_victorialogs_repeated_lines', { receiver }, 0],
      ['tocsin_victorialogs_backfill_remaining_seconds', { receiver }, 0],
      ['tocsin_victorialogs_skipped_gap_seconds', { receiver }, 0],
      ['tocsin_victorialogs_invalid_utf8_lines', { receiver }, 0],
      ['tocsin_victorialogs_look_back_seconds', { receiver }, 0],
      ['tocsin_victorialogs_remembered_lines', { receiver }, 0],
    ])
  })
})
