import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { PushOptions } from './push-options.js'

/** Loaded where a configuration sends metrics this way; a module of ours, as bundles take names from these only. */
export function overHttp(
  { headers, gzip, timeoutMs }: PushOptions,
  url: string,
  ca: Buffer | undefined,
): PushMetricExporter {
  return new OTLPMetricExporter({
    url,
    timeoutMillis: timeoutMs,
    compression: (gzip ? 'gzip' : 'none') as never,
    headers: { ...headers },
    ...(ca && { httpAgentOptions: { ca } }),
  })
}
