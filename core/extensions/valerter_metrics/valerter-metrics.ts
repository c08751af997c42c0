import {
  type ComponentContext,
  type Extension,
  type FlowObserver,
  type Host,
  nsToMs,
  type PipelinesInUse,
  type Problem,
  parseEndpoint,
} from 'tocsin/component'
import { serveGets } from 'tocsin/http'
import type { ValerterMetricsConfig } from './config.js'
import { Counts } from './counts.js'
import { expectedLabels } from './expected.js'
import { Ours } from './ours.js'
import { type Layout, layoutOf, rulesOf } from './rules.js'
import { exposition, Series } from './series.js'
import { type MetricRow, TABLE } from './table.js'

/** After so many failures in a row a source counts as down. */
const FAILURES = 3

/** Counts what flows by rule, source and notifier, and takes from our own metrics what happens elsewhere. */
export class ValerterMetrics implements Extension {
  readonly #context: ComponentContext<ValerterMetricsConfig>
  readonly #bySource: boolean
  readonly #counts: Counts
  readonly #up = new Map<string, boolean>()
  #layout: Layout = layoutOf([], false)
  #server: { close(): Promise<void> } | undefined

  constructor(context: ComponentContext<ValerterMetricsConfig>) {
    this.#context = context
    this.#bySource = context.config.labels === '2.x'
    this.#counts = new Counts(this.#bySource)
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
    const rules = rulesOf(pipelines, this.#context.config.names)
    this.#layout = layoutOf(rules, this.#bySource)
    return this.#counts.observe(rules)
  }

  refused(problems: readonly Problem[]): void {
    this.#counts.refused(problems, this.#context.config.names)
  }

  /** Valerter's and ours. */
  async #text(host: Host): Promise<string> {
    const text = await host.scrape()
    const ours = new Ours(text, this.#layout)
    const rows = TABLE.filter(({ only }) => only === undefined || only === this.#context.config.labels)
    return rows.map(row => this.#row(row, ours, host)).join('') + text
  }

  #row(row: MetricRow, ours: Ours, host: Host): string {
    const name = `valerter_${row.name}`
    if (row.kind === 'histogram') return exposition(name, row.kind, row.help, ours.durations())
    const { startedAt, version } = host.status()
    const series = new Series()
    for (const labels of expectedLabels(row, this.#layout, version)) series.set(labels, 0)
    for (const { labels, value } of this.#counts.of(row.name)) series.set(labels, value)
    ours.addTo(row.name, series)
    switch (row.name) {
      case 'build_info':
        series.set({ version }, 1)
        break
      case 'uptime_seconds':
        series.set({}, nsToMs(this.#context.clock.now() - startedAt) / 1_000)
        break
      case 'vl_source_up':
        for (const [source, receivers] of this.#layout.sources)
          series.set({ vl_source: source }, this.#isUp(source, receivers, ours))
    }
    return exposition(name, row.kind, row.help, series)
  }

  #isUp(source: string, receivers: readonly string[], ours: Ours): number {
    if (ours.some('tocsin_victorialogs_up', receivers, value => value === 1)) this.#up.set(source, true)
    else if (ours.some('tocsin_victorialogs_failures_in_a_row', receivers, value => value >= FAILURES))
      this.#up.set(source, false)
    return this.#up.get(source) ? 1 : 0
  }
}
