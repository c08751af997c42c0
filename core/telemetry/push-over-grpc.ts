import { credentials, Metadata } from '@grpc/grpc-js'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc'
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { PushOptions } from './push-options.js'

/** Loaded where a configuration sends metrics this way; a module of ours, as bundles take names from these only. */
export function overGrpc(
  { headers, gzip, timeoutMs }: PushOptions,
  url: string,
  ca: Buffer | undefined,
): PushMetricExporter {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  return new OTLPMetricExporter({
    url,
    timeoutMillis: timeoutMs,
    compression: (gzip ? 'gzip' : 'none') as never,
    metadata,
    credentials: url.startsWith('https:') ? credentials.createSsl(ca) : credentials.createInsecure(),
  })
}
