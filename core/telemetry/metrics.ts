import type { Meter } from '@opentelemetry/api'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  InstrumentType,
  MeterProvider,
  MetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import { switchedMeter } from './switched-meter.js'

export interface Metrics {
  /** Attributes of who measures. */
  readonly resource: { readonly [key: string]: string }
  readonly meter: Meter
  /** Off, nothing is counted. On at first. */
  enable(on: boolean): void
  /** The Prometheus text of everything measured so far. */
  scrape(): Promise<string>
  /** The same for exporters. */
  collect(): Promise<ResourceMetrics>
  close(): Promise<void>
}

/** Our own metrics. `resource`: attributes such as service.name, shown on `target_info`. */
export function createMetrics(resource: { readonly [key: string]: string }): Metrics {
  const reader = new ScrapeReader()
  const provider = new MeterProvider({ resource: resourceFromAttributes(resource), readers: [reader] })
  let on = true
  const serializer = new PrometheusSerializer('', false, undefined, false, true)
  const { meter, flush } = switchedMeter(provider.getMeter('tocsin'), () => on)
  const collect = async (): Promise<ResourceMetrics> => {
    flush()
    return (await reader.collect()).resourceMetrics
  }
  return {
    resource,
    // One scope for all components: the same instrument of two components is one time series family.
    meter,
    enable: next => {
      on = next
    },
    scrape: async () => collectorNames(serializer.serialize(await collect())),
    collect,
    close: () => provider.shutdown(),
  }
}

/**
 * The Collector's own counters have no `_total` (its default is `without_type_suffix: true`), and dashboards made
 * for it ask for these names; ours keep the suffix that Prometheus recommends.
 */
function collectorNames(text: string): string {
  return text.replace(/^((?:# (?:HELP|TYPE|UNIT) )?otelcol_\w+?)_total(?=[ {])/gm, '$1')
}

class ScrapeReader extends MetricReader {
  constructor() {
    super({
      // Cumulative series stay for good; a gauge goes with what it measured, such as the queue of an exporter.
      aggregationTemporalitySelector: instrument =>
        instrument === InstrumentType.OBSERVABLE_GAUGE
          ? AggregationTemporality.DELTA
          : AggregationTemporality.CUMULATIVE,
    })
  }

  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}
