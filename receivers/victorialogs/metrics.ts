import type { ComponentContext } from 'tocsin/component'

export type Metrics = ReturnType<typeof createMetrics>

/** The receiver's own metrics, all present from the start. */
export function createMetrics({ meter, id }: Pick<ComponentContext<unknown>, 'meter' | 'id'>) {
  const attributes = { receiver: id }
  const counter = (name: string, description: string, unit: string, kinds: readonly string[] = []) => {
    const instrument = meter.createCounter(`tocsin_victorialogs_${name}`, { description, unit })
    for (const kind of kinds) instrument.add(0, { ...attributes, kind })
    if (kinds.length === 0) instrument.add(0, attributes)
    return (value: number, kind?: string): void =>
      instrument.add(value, kind === undefined ? attributes : { ...attributes, kind })
  }
  const gauge = (name: string, description: string, unit: string) => {
    const instrument = meter.createGauge(`tocsin_victorialogs_${name}`, { description, unit })
    instrument.record(0, attributes)
    return (value: number): void => instrument.record(value, attributes)
  }
  const durations = meter.createHistogram('tocsin_victorialogs_tail_open_seconds', {
    description: 'From opening a tail to its first lines.',
    unit: 's',
    advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
  })
  return {
    up: gauge('up', 'Whether the tail is open (1) or not (0).', '1'),
    streamEnds: counter('stream_ends', 'Tails that the server ended without a failure.', '{stream}'),
    failuresInARow: gauge(
      'failures_in_a_row',
      'Rounds that failed since the tail was open last.',
      '{failure}',
    ),
    lastTail: gauge('last_tail_timestamp_seconds', 'When the tail was opened last, since the epoch.', 's'),
    tailOpen: (seconds: number): void => durations.record(seconds, attributes),
    reconnections: counter('reconnections', 'Tails opened again.', '{connection}'),
    backfilled: counter(
      'backfilled_log_records',
      'Log records that the tail did not bring: read after a gap, or found by reconciling.',
      '{record}',
      ['gap', 'reconcile'],
    ),
    queryFailures: counter('query_failures', 'Failed readings of /select/logsql/query.', '{reading}'),
    repeats: counter('repeated_lines', 'Lines that were read again and offered once.', '{line}'),
    backfillRemaining: gauge('backfill_remaining_seconds', 'How much of a gap is still to be read.', 's'),
    skippedSeconds: counter(
      'skipped_gap_seconds',
      'Time that was not read because a gap was longer than backfill.max_age.',
      's',
    ),
    repaired: counter(
      'invalid_utf8_lines',
      'Lines with bytes that are not UTF-8, each of which became U+FFFD.',
      '{line}',
    ),
    lookBack: gauge('look_back_seconds', 'How far back the last reading reached for late lines.', 's'),
    remembered: gauge('remembered_lines', 'Lines remembered to recognise repeats.', '{line}'),
  }
}
