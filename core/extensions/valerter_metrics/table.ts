/** Valerter's metrics, up to 2.1, as its documentation has them. */

export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** Which series there are from the start: one for each of these. */
export type SeriesOf = 'service' | 'rule' | 'rule and notifier' | 'notifier' | 'source'

export interface MetricRow {
  readonly name: string
  readonly kind: MetricKind
  readonly of: SeriesOf
  readonly help: string
  /** A further label and its values. */
  readonly more?: readonly [label: string, values: readonly string[]]
  /** Without the type of the notifier. */
  readonly untyped?: true
  readonly only?: '1.x' | '2.x'
}

const counter = (name: string, of: SeriesOf, help: string, more: Partial<MetricRow> = {}): MetricRow => ({
  name,
  kind: 'counter',
  of,
  help,
  ...more,
})
const gauge = (name: string, of: SeriesOf, help: string, more: Partial<MetricRow> = {}): MetricRow => ({
  name,
  kind: 'gauge',
  of,
  help,
  ...more,
})

export const TABLE: readonly MetricRow[] = [
  counter('alerts_sent_total', 'rule and notifier', 'Alerts that a destination took.'),
  counter('alerts_failed_total', 'rule and notifier', 'Alerts that were given up.'),
  counter('notify_errors_total', 'rule and notifier', 'Attempts to send that failed.'),
  counter('alerts_passed_total', 'rule', 'Alerts that the throttle let through.'),
  counter('alerts_throttled_total', 'rule', 'Alerts that the throttle held back.'),
  counter('logs_matched_total', 'rule', 'Log lines that a rule parsed.'),
  counter('reconnections_total', 'rule', 'Tails opened again after a failure.'),
  counter('rule_panics_total', 'rule', 'Rules that broke down.'),
  counter('rule_errors_total', 'rule', 'Log lines on which a rule failed.'),
  counter('alerts_dropped_total', 'service', 'Alerts that were lost.'),
  counter('destination_alerts_dropped_total', 'notifier', 'Alerts for a destination that were lost.'),
  counter('email_recipient_errors_total', 'rule and notifier', 'Mails that a recipient did not get.', {
    untyped: true,
  }),
  counter('telegram_chat_errors_total', 'rule and notifier', 'Messages that a chat did not take.', {
    untyped: true,
  }),
  counter('lines_discarded_total', 'rule', 'Lines that are no log record.', {
    more: ['reason', ['oversized', 'invalid_utf8']],
  }),
  counter('parse_errors_total', 'rule', 'Log lines that a rule could not parse.', {
    more: ['error_type', ['regex_no_match', 'invalid_json']],
  }),
  counter('alerts_truncated_total', 'notifier', 'Messages that were cut.'),
  counter('stream_ends_total', 'rule', 'Tails that ended without a failure.'),
  counter('notifier_config_errors_total', 'notifier', 'Notifiers that could not be made.', {
    more: ['error_type', ['invalid_config']],
  }),
  gauge('queue_size', 'service', 'Alerts that wait for their destinations.'),
  gauge('destination_queue_size', 'notifier', 'Alerts that wait for a destination.'),
  gauge('last_query_timestamp', 'rule', 'When a tail was opened last, seconds since the epoch.'),
  gauge('victorialogs_up', 'rule', 'Whether the tail of a rule is open.', { only: '1.x' }),
  gauge('vl_source_up', 'source', 'Whether a source answers.', { only: '2.x' }),
  gauge('uptime_seconds', 'service', 'Since the start.'),
  gauge('build_info', 'service', 'The version.'),
  {
    name: 'query_duration_seconds',
    kind: 'histogram',
    of: 'rule',
    help: 'From opening a tail to its first lines.',
  },
]
