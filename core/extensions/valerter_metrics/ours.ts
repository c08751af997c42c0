import { type Labels, type Layout, labelsOf } from './rules.js'
import { type Sample, type Series, samplesOf } from './series.js'

const DURATION = 'tocsin_victorialogs_tail_open_seconds'

/** Metrics of ours that say by receiver what Valerter says by rule; `sign`: those that it does not count among them. */
const BY_STREAM: {
  readonly [metric: string]: readonly (readonly [ours: string, sign?: 1 | -1, more?: Labels])[] | undefined
} = {
  reconnections_total: [
    ['tocsin_victorialogs_reconnections_total'],
    ['tocsin_victorialogs_stream_ends_total', -1],
  ],
  stream_ends_total: [['tocsin_victorialogs_stream_ends_total']],
  last_query_timestamp: [['tocsin_victorialogs_last_tail_timestamp_seconds']],
  victorialogs_up: [['tocsin_victorialogs_up']],
  lines_discarded_total: [
    ['tocsin_receiver_discarded_total', 1, { reason: 'oversized' }],
    ['tocsin_receiver_discarded_total', 1, { reason: 'invalid_utf8' }],
  ],
  parse_errors_total: [['tocsin_receiver_discarded_total', 1, { reason: 'invalid_json' }]],
}

/** By exporter what Valerter says by notifier. */
const BY_NOTIFIER: { readonly [metric: string]: string | undefined } = {
  destination_queue_size: 'otelcol_exporter_queue_size',
  alerts_truncated_total: 'tocsin_telegram_truncated_messages_total',
}

/** Our own metrics, read once, in Valerter's terms. */
export class Ours {
  readonly #byName = new Map<string, Sample[]>()

  constructor(
    text: string,
    private readonly layout: Layout,
  ) {
    for (const sample of samplesOf(text)) {
      const samples = this.#byName.get(sample.name)
      if (samples) samples.push(sample)
      else this.#byName.set(sample.name, [sample])
    }
  }

  /** Adds what they say of one of Valerter's. */
  addTo(metric: string, series: Series): void {
    for (const [ours, sign = 1, more = {}] of BY_STREAM[metric] ?? []) {
      const byReceiver = this.#by('receiver', ours, more)
      const reason = more.reason && (metric === 'parse_errors_total' ? { error_type: more.reason } : more)
      for (const { receiver, labels } of this.layout.streams)
        for (const { value } of byReceiver.get(receiver) ?? [])
          series.add({ ...labels, ...reason }, sign * value)
    }
    const byExporter = BY_NOTIFIER[metric]
    if (byExporter !== undefined)
      for (const notifier of this.layout.notifiers)
        for (const { value } of this.#by('exporter', byExporter).get(notifier.id) ?? [])
          series.add(labelsOf(notifier), value)
    if (metric === 'rule_panics_total') {
      const byPipeline = this.#by('pipeline', 'tocsin_pipeline_breakdowns_total')
      for (const { rule, receiver, labels } of this.layout.streams)
        for (const { labels: ours, value } of byPipeline.get(rule.pipeline) ?? []) {
          // What is no receiver belongs to each of a rule's sources.
          const elsewhere =
            ours.component?.startsWith('receiver/') && ours.component !== `receiver/${receiver}`
          if (!elsewhere) series.add(labels, value)
        }
    }
    if (metric === 'queue_size')
      for (const { value } of this.#byName.get('otelcol_exporter_queue_size') ?? []) series.add({}, value)
  }

  /** Whether it holds for the value of one of a source's receivers. */
  some(metric: string, receivers: readonly string[], holds: (value: number) => boolean): boolean {
    const samples = this.#byName.get(metric) ?? []
    return samples.some(({ labels, value }) => receivers.includes(labels.receiver ?? '') && holds(value))
  }

  /** The lines of `query_duration_seconds`. */
  durations(): readonly { readonly labels: Labels; readonly value: number; readonly suffix: string }[] {
    const suffixes = ['_bucket', '_sum', '_count']
    const bySuffix = suffixes.map(suffix => [suffix, this.#by('receiver', DURATION + suffix)] as const)
    return this.layout.streams.flatMap(({ receiver, labels }) =>
      bySuffix.flatMap(([suffix, byReceiver]) => {
        const own = byReceiver.get(receiver)
        if (!own)
          return [{ labels: { ...labels, ...(suffix === '_bucket' && { le: '+Inf' }) }, value: 0, suffix }]
        return own.map(({ labels: { le }, value }) => ({
          labels: { ...labels, ...(le !== undefined && { le }) },
          value,
          suffix,
        }))
      }),
    )
  }

  #by(
    label: 'receiver' | 'exporter' | 'pipeline',
    metric: string,
    more: Labels = {},
  ): ReadonlyMap<string, readonly Sample[]> {
    const found = new Map<string, Sample[]>()
    for (const sample of this.#byName.get(metric) ?? []) {
      if (Object.entries(more).some(([key, value]) => sample.labels[key] !== value)) continue
      const id = sample.labels[label] ?? ''
      found.set(id, [...(found.get(id) ?? []), sample])
    }
    return found
  }
}
