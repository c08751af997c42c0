import {
  type ComponentContext,
  type Extension,
  type FlowObserver,
  type Host,
  type LogRecord,
  nsToMs,
  type PipelinesInUse,
  parseEndpoint,
  type Records,
  toText,
} from 'tocsin/component'
import { serveGets } from 'tocsin/http'
import type { ValerterMetricsConfig } from './config.js'
import { type Notifier, type Rule, rulesOf } from './rules.js'
import { exposition, type Labels, type Sample, Series, samplesOf } from './series.js'
import { type MetricRow, TABLE } from './table.js'

/** After so many failures in a row a source counts as down. */
const FAILURES = 3

/** Counts what flows by rule, source and notifier, and takes from our own metrics what happens elsewhere. */
export class ValerterMetrics implements Extension {
  readonly #context: ComponentContext<ValerterMetricsConfig>
  readonly #counted = new Map<string, Series>()
  readonly #up = new Map<string, boolean>()
  #rules: readonly Rule[] = []
  #server: { close(): Promise<void> } | undefined

  constructor(context: ComponentContext<ValerterMetricsConfig>) {
    this.#context = context
  }

  async start(host: Host): Promise<void> {
    const { config, clock } = this.#context
    this.#server = serveGets({
      listener: await this.#context.listen(parseEndpoint(config.endpoint)),
      clock,
      answer: async path =>
        path === '/metrics'
          ? { code: 200, contentType: 'text/plain; version=0.0.4', body: await this.#text(host) }
          : { code: 404, contentType: 'text/plain', body: 'The metrics are at /metrics.\n' },
    })
  }

  async stop(): Promise<void> {
    await this.#server?.close()
  }

  observe(pipelines: PipelinesInUse): FlowObserver {
    this.#rules = rulesOf(pipelines, this.#context.config.names)
    const rules = new Map(this.#rules.map(rule => [rule.pipeline, rule]))
    return {
      processed: (pipeline, processor, incoming, outgoing) => {
        const rule = rules.get(pipeline)
        if (rule?.throttle === processor) this.#throttled(rule, incoming, outgoing)
        if (rule?.parsers.includes(processor)) this.#parsed(rule, incoming, outgoing)
      },
      sent: (pipeline, exporter, records, taken) => {
        const rule = rules.get(pipeline)
        const notifier = rule?.notifiers.find(({ id }) => id === exporter)
        if (!rule || !notifier) return
        this.#count(taken ? 'alerts_sent_total' : 'notify_errors_total', records, record => ({
          ...this.#labels(rule, record),
          ...labelsOf(notifier),
        }))
      },
      givenUp: (pipeline, component, records, kept) => {
        const rule = rules.get(pipeline)
        const notifier = rule?.notifiers.find(({ id }) => `exporter/${id}` === component)
        if (!rule) return
        if (!notifier) {
          this.#count('rule_errors_total', records, record => this.#labels(rule, record))
          return
        }
        const labels = labelsOf(notifier)
        this.#count('alerts_failed_total', records, record => ({ ...this.#labels(rule, record), ...labels }))
        if (kept) return
        this.#series('alerts_dropped_total').add({}, records.length)
        this.#series('destination_alerts_dropped_total').add(labels, records.length)
      },
    }
  }

  #throttled(rule: Rule, incoming: Records, outgoing: Records): void {
    const passed = new Set(outgoing.map(({ id }) => id))
    const labels = (record: LogRecord): Labels => this.#labels(rule, record)
    this.#count('logs_matched_total', incoming, labels)
    this.#count('alerts_passed_total', outgoing, labels)
    this.#count(
      'alerts_throttled_total',
      incoming.filter(({ id }) => !passed.has(id)),
      labels,
    )
  }

  #parsed(rule: Rule, incoming: Records, outgoing: Records): void {
    if (incoming.length === outgoing.length) return
    const left = new Set(outgoing.map(({ id }) => id))
    const dropped = incoming.filter(({ id }) => !left.has(id))
    this.#count('parse_errors_total', dropped, record => ({
      ...this.#labels(rule, record),
      error_type: typeof record.body === 'string' ? 'regex_no_match' : 'invalid_json',
    }))
  }

  #labels(rule: Rule, record: LogRecord): Labels {
    if (this.#context.config.labels === '1.x') return { rule_name: rule.name }
    const only = rule.sources.length === 1 ? rule.sources[0]?.name : undefined
    return { rule_name: rule.name, vl_source: only ?? toText(record.attributes.vl_source) }
  }

  #count(metric: string, records: Records, labels: (record: LogRecord) => Labels): void {
    const series = this.#series(metric)
    for (const record of records) series.add(labels(record), 1)
  }

  #series(metric: string): Series {
    let series = this.#counted.get(metric)
    if (!series) {
      series = new Series()
      this.#counted.set(metric, series)
    }
    return series
  }

  /** Valerter's and ours. */
  async #text(host: Host): Promise<string> {
    const ours = await host.scrape()
    const samples = samplesOf(ours)
    const rows = TABLE.filter(({ only }) => only === undefined || only === this.#context.config.labels)
    return rows.map(row => this.#row(row, samples, host)).join('') + ours
  }

  #row(row: MetricRow, samples: readonly Sample[], host: Host): string {
    const name = `valerter_${row.name}`
    if (row.kind === 'histogram') return exposition(name, row.kind, row.help, this.#durations(samples))
    const series = new Series()
    for (const labels of this.#expected(row, host)) series.set(labels, 0)
    for (const { labels, value } of this.#counted.get(row.name) ?? []) series.set(labels, value)
    if (row.name === 'build_info') series.set({ version: host.status().version }, 1)
    this.#fromOurs(row, series, samples, host)
    return exposition(name, row.kind, row.help, series)
  }

  /** The labels of all series that there are from the start. */
  *#expected({ name, of, more, untyped }: MetricRow, host: Host): Generator<Labels> {
    const [label, values] = more ?? ['', ['']]
    for (const value of values) {
      const extra = label === '' ? {} : { [label]: value }
      if (of === 'service') yield name === 'build_info' ? { version: host.status().version } : extra
      if (of === 'source') for (const source of this.#sources().keys()) yield { vl_source: source }
      if (of === 'notifier')
        for (const notifier of this.#notifiers())
          yield label === 'error_type'
            ? { notifier: notifier.name, ...extra }
            : { ...labelsOf(notifier), ...extra }
      if (of === 'rule') for (const { labels } of this.#streams()) yield { ...labels, ...extra }
      if (of === 'rule and notifier')
        for (const { rule, labels } of this.#streams())
          for (const notifier of rule.notifiers) {
            const { notifier_name, notifier_type } = labelsOf(notifier)
            if (untyped && !name.startsWith(notifier.type)) continue
            yield untyped ? { ...labels, notifier_name } : { ...labels, notifier_name, notifier_type }
          }
    }
  }

  #fromOurs({ name }: MetricRow, series: Series, samples: readonly Sample[], host: Host): void {
    const find = (metric: string): readonly Sample[] => samples.filter(sample => sample.name === metric)
    const perStream = (metric: string, sign = 1, more: Labels = {}): void => {
      for (const { rule, source, labels } of this.#streams())
        for (const sample of find(metric)) {
          const own = sample.labels.receiver === source.receiver
          const same = Object.entries(more).every(([label, value]) => sample.labels[label] === value)
          if (own && same && rule)
            series.add({ ...labels, ...(more.reason && reasonLabel(name, more.reason)) }, sign * sample.value)
        }
    }
    const perNotifier = (metric: string): void => {
      for (const notifier of this.#notifiers())
        for (const sample of find(metric))
          if (sample.labels.exporter === notifier.id) series.add(labelsOf(notifier), sample.value)
    }
    switch (name) {
      case 'reconnections_total':
        perStream('tocsin_victorialogs_reconnections_total')
        perStream('tocsin_victorialogs_stream_ends_total', -1)
        return
      case 'stream_ends_total':
        perStream('tocsin_victorialogs_stream_ends_total')
        return
      case 'last_query_timestamp':
        perStream('tocsin_victorialogs_last_tail_timestamp_seconds')
        return
      case 'victorialogs_up':
        perStream('tocsin_victorialogs_up')
        return
      case 'lines_discarded_total':
        for (const reason of ['oversized', 'invalid_utf8'])
          perStream('tocsin_receiver_discarded_total', 1, { reason })
        return
      case 'parse_errors_total':
        perStream('tocsin_receiver_discarded_total', 1, { reason: 'invalid_json' })
        return
      case 'queue_size':
        for (const { value } of find('otelcol_exporter_queue_size')) series.add({}, value)
        return
      case 'destination_queue_size':
        perNotifier('otelcol_exporter_queue_size')
        return
      case 'alerts_truncated_total':
        perNotifier('tocsin_telegram_truncated_messages_total')
        return
      case 'email_recipient_errors_total':
        this.#perRuleAndNotifier(series, find('tocsin_email_recipient_errors_total'))
        return
      case 'telegram_chat_errors_total':
        this.#perRuleAndNotifier(series, find('tocsin_telegram_chat_errors_total'))
        return
      case 'vl_source_up':
        for (const [source, receivers] of this.#sources())
          series.set({ vl_source: source }, this.#isUp(source, receivers, find))
        return
      case 'uptime_seconds':
        series.set({}, nsToMs(this.#context.clock.now() - host.status().startedAt) / 1_000)
        return
    }
  }

  /** These are counted by pipeline; of several sources the first stands for all. */
  #perRuleAndNotifier(series: Series, samples: readonly Sample[]): void {
    for (const rule of this.#rules)
      for (const { id, name } of rule.notifiers)
        for (const { labels, value } of samples) {
          if (labels.exporter !== id || labels.pipeline !== rule.pipeline) continue
          const first = this.#streams().find(stream => stream.rule === rule)
          if (first) series.add({ ...first.labels, notifier_name: name }, value)
        }
  }

  #isUp(source: string, receivers: readonly string[], find: (metric: string) => readonly Sample[]): number {
    const of = (metric: string): readonly number[] =>
      find(metric)
        .filter(({ labels }) => receivers.includes(labels.receiver ?? ''))
        .map(({ value }) => value)
    if (of('tocsin_victorialogs_up').some(value => value === 1)) this.#up.set(source, true)
    else if (of('tocsin_victorialogs_failures_in_a_row').some(value => value >= FAILURES))
      this.#up.set(source, false)
    return this.#up.get(source) ? 1 : 0
  }

  #durations(samples: readonly Sample[]): readonly { labels: Labels; value: number; suffix: string }[] {
    const ours = samples.filter(({ name }) => name.startsWith(DURATION))
    return this.#streams().flatMap(({ source, labels }) => {
      const own = ours.filter(sample => sample.labels.receiver === source.receiver)
      const lines = own.map(sample => {
        const { le } = sample.labels
        return {
          labels: { ...labels, ...(le !== undefined && { le }) },
          value: sample.value,
          suffix: sample.name.slice(DURATION.length),
        }
      })
      return lines.length > 0
        ? lines
        : [
            { labels: { ...labels, le: '+Inf' }, value: 0, suffix: '_bucket' },
            { labels, value: 0, suffix: '_sum' },
            { labels, value: 0, suffix: '_count' },
          ]
    })
  }

  /** Each rule once for each of its sources; in 1.x they have no label of it. */
  #streams(): readonly {
    readonly rule: Rule
    readonly source: Rule['sources'][number]
    readonly labels: Labels
  }[] {
    const old = this.#context.config.labels === '1.x'
    return this.#rules.flatMap(rule =>
      rule.sources.map(source => ({
        rule,
        source,
        labels: { rule_name: rule.name, ...(!old && { vl_source: source.name }) },
      })),
    )
  }

  #notifiers(): Iterable<Notifier> {
    return new Map(this.#rules.flatMap(({ notifiers }) => notifiers.map(one => [one.id, one]))).values()
  }

  #sources(): ReadonlyMap<string, readonly string[]> {
    const sources = new Map<string, string[]>()
    for (const { sources: own } of this.#rules)
      for (const { name, receiver } of own) sources.set(name, [...(sources.get(name) ?? []), receiver])
    return sources
  }
}

const DURATION = 'tocsin_victorialogs_tail_open_seconds'

function labelsOf({ name, type }: Notifier): Labels & { notifier_name: string; notifier_type: string } {
  return { notifier_name: name, notifier_type: type }
}

function reasonLabel(metric: string, reason: string): Labels {
  return metric === 'parse_errors_total' ? { error_type: reason } : { reason }
}
