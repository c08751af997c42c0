import { type FlowObserver, type LogRecord, type Problem, type Records, toText } from 'tocsin/component'
import { type Labels, labelsOf, nameIn, type Rule } from './rules.js'
import { Series } from './series.js'

/** Counts what flows by rule, source and notifier. */
export class Counts {
  readonly #series = new Map<string, Series>()
  /** Making a key of labels costs more than the addition. */
  readonly #cells = new Map<string, { value: number }>()
  readonly #texts = new WeakMap<Records, boolean>()

  constructor(private readonly bySource: boolean) {}

  /** What was counted of a metric. */
  of(metric: string): Iterable<{ readonly labels: Labels; readonly value: number }> {
    return this.#series.get(metric) ?? []
  }

  observe(all: readonly Rule[]): FlowObserver {
    const rules = new Map(all.map(rule => [rule.pipeline, rule]))
    return {
      processed: (pipeline, processor, incoming, outgoing) => {
        const rule = rules.get(pipeline)
        if (rule?.throttle === processor) this.#throttled(rule, incoming, outgoing)
        if (rule?.parsers.includes(processor)) this.#parsed(rule, incoming, outgoing)
      },
      sent: (pipeline, exporter, records, taken) => {
        const metric = taken ? 'alerts_sent_total' : 'notify_errors_total'
        this.#notified(metric, rules.get(pipeline), exporter, records)
      },
      missed: (pipeline, exporter, records) => {
        const rule = rules.get(pipeline)
        const notifier = rule?.notifiers.find(({ id }) => id === exporter)
        const metric = MISSED[notifier?.type ?? '']
        if (!rule || !notifier || metric === undefined) return
        this.#add(metric, rule, records, { notifier_name: notifier.name })
      },
      givenUp: (pipeline, component, records, kept) => {
        const rule = rules.get(pipeline)
        const exporter = component.startsWith('exporter/') ? component.slice('exporter/'.length) : undefined
        if (!rule) return
        if (exporter === undefined) {
          this.#add('rule_errors_total', rule, records)
          return
        }
        this.#notified('alerts_failed_total', rule, exporter, records)
        const notifier = rule.notifiers.find(({ id }) => id === exporter)
        if (kept || !notifier) return
        this.#seriesOf('alerts_dropped_total').add({}, records.length)
        this.#seriesOf('destination_alerts_dropped_total').add(labelsOf(notifier), records.length)
      },
    }
  }

  /** Notifiers that a reload could not make; `names`: as for `rulesOf`, of a configuration in our words. */
  refused(problems: readonly Problem[], names: { readonly [id: string]: string } = {}): void {
    for (const { severity, path } of problems) {
      const [section, id] = path
      if (severity !== 'error' || typeof id !== 'string') continue
      const notifier =
        section === 'notifiers' ? id : section === 'exporters' ? (names[id] ?? nameIn(id)) : undefined
      if (notifier === undefined) continue
      this.#seriesOf('notifier_config_errors_total').add({ notifier, error_type: 'invalid_config' }, 1)
    }
  }

  #notified(metric: string, rule: Rule | undefined, exporter: string, records: Records): void {
    const notifier = rule?.notifiers.find(({ id }) => id === exporter)
    if (rule && notifier) this.#add(metric, rule, records, labelsOf(notifier))
  }

  #throttled(rule: Rule, incoming: Records, outgoing: Records): void {
    this.#add('logs_matched_total', rule, incoming)
    this.#add('alerts_passed_total', rule, outgoing)
    this.#add('alerts_throttled_total', rule, missing(incoming, outgoing))
  }

  #parsed(rule: Rule, incoming: Records, outgoing: Records): void {
    if (incoming.length === outgoing.length) return
    const dropped = missing(incoming, outgoing)
    if (this.#isText(dropped)) {
      this.#add('parse_errors_total', rule, dropped, { error_type: 'regex_no_match' })
      return
    }
    for (const record of dropped) {
      const error_type = typeof record.body === 'string' ? 'regex_no_match' : 'invalid_json'
      this.#add('parse_errors_total', rule, [record], { error_type })
    }
  }

  /** The same batches come from each rule that shares its connection, a second of them at a time: each is looked at once. */
  #isText(records: Records): boolean {
    let isText = this.#texts.get(records)
    if (isText === undefined) {
      isText = records.every(({ body }) => typeof body === 'string')
      this.#texts.set(records, isText)
    }
    return isText
  }

  /** Records of a rule that has one source, which is nearly all, are one addition. */
  #add(metric: string, rule: Rule, records: Records, more: Labels = {}): void {
    if (records.length === 0) return
    const [only, ...others] = rule.sources
    if (!this.bySource || (only && others.length === 0)) {
      this.#cell(metric, rule, only?.name ?? '', more).value += records.length
      return
    }
    for (const record of records) this.#cell(metric, rule, sourceOf(record), more).value++
  }

  #cell(metric: string, rule: Rule, source: string, more: Labels): { value: number } {
    const key = `${metric}\0${rule.name}\0${source}\0${Object.values(more).join('\0')}`
    let cell = this.#cells.get(key)
    if (!cell) {
      const labels = { rule_name: rule.name, ...(this.bySource && { vl_source: source }), ...more }
      cell = this.#seriesOf(metric).cell(labels)
      this.#cells.set(key, cell)
    }
    return cell
  }

  #seriesOf(metric: string): Series {
    let series = this.#series.get(metric)
    if (!series) {
      series = new Series()
      this.#series.set(metric, series)
    }
    return series
  }
}

/** The metric of recipients that got nothing, by the type of the notifier. */
const MISSED: { readonly [type: string]: string | undefined } = {
  email: 'email_recipient_errors_total',
  telegram: 'telegram_chat_errors_total',
}

function sourceOf({ attributes }: LogRecord): string {
  return toText(attributes.vl_source)
}

function missing(incoming: Records, outgoing: Records): Records {
  if (outgoing.length === 0) return incoming
  if (incoming.length === outgoing.length) return []
  const left = new Set(outgoing.map(({ id }) => id))
  return incoming.filter(({ id }) => !left.has(id))
}
