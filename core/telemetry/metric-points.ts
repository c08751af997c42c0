import { DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics'
import type { MetricPoint } from '../component/index.js'

/** The numbers of all metrics, by the names of the Prometheus text; of histograms their count and sum. */
export function metricPoints({ scopeMetrics }: ResourceMetrics): readonly MetricPoint[] {
  const points: MetricPoint[] = []
  for (const { metrics } of scopeMetrics)
    for (const metric of metrics) {
      const { name } = metric.descriptor
      const counts = metric.dataPointType === DataPointType.SUM && metric.isMonotonic
      const bare = name.endsWith('_total') || !counts || name.startsWith('otelcol_')
      for (const { attributes, value } of metric.dataPoints) {
        const labels = Object.fromEntries(Object.entries(attributes).map(([key, one]) => [key, String(one)]))
        if (typeof value === 'number') points.push({ name: bare ? name : `${name}_total`, labels, value })
        else {
          points.push({ name: `${name}_count`, labels, value: value.count })
          if (value.sum !== undefined) points.push({ name: `${name}_sum`, labels, value: value.sum })
        }
      }
    }
  return points
}
