import type { Meter, ObservableResult } from '@opentelemetry/api'
import type { Partition } from './partition.js'

export interface StreamMetrics {
  claimed(entries: number): void
  acknowledged(entries: number): void
}

/** All carry the attribute `receiver`. */
export function streamMetrics(
  meter: Meter,
  receiver: string,
  held: () => readonly Partition[],
): StreamMetrics {
  const attributes = { receiver }
  const claimed = meter.createCounter('tocsin_redis_streams_claimed_entries', {
    description: 'Entries taken over that an earlier owner of their partition had not acknowledged.',
  })
  const acknowledged = meter.createCounter('tocsin_redis_streams_acknowledged_entries', {
    description: 'Entries settled, acknowledged and removed.',
  })
  for (const counter of [claimed, acknowledged]) counter.add(0, attributes)
  const gauge = (name: string, description: string, value: () => number): void => {
    meter
      .createObservableGauge(name, { description })
      .addCallback((result: ObservableResult) => result.observe(value(), attributes))
  }
  gauge('tocsin_redis_streams_partitions_held', 'Partitions that this collector reads.', () => held().length)
  gauge('tocsin_redis_streams_pending_entries', 'Entries read and not yet acknowledged.', () =>
    held().reduce((sum, { unacknowledged }) => sum + unacknowledged, 0),
  )
  gauge('tocsin_redis_streams_entries', 'Entries in the partitions that this collector reads.', () =>
    held().reduce((sum, { length }) => sum + length, 0),
  )
  return {
    claimed: entries => claimed.add(entries, attributes),
    acknowledged: entries => acknowledged.add(entries, attributes),
  }
}
