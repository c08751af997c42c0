import { credentials, Metadata } from '@grpc/grpc-js'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import type { SpanExporter } from '@opentelemetry/sdk-trace'
import type { OtlpTarget } from './push-options.js'

/** Loaded where a configuration sends traces this way; a module of ours, as bundles take names from these only. */
export function tracesOverGrpc(
  { headers, gzip, timeoutMs }: OtlpTarget,
  url: string,
  ca: Buffer | undefined,
): SpanExporter {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  return new OTLPTraceExporter({
    url,
    timeoutMillis: timeoutMs,
    compression: (gzip ? 'gzip' : 'none') as never,
    metadata,
    credentials: url.startsWith('https:') ? credentials.createSsl(ca) : credentials.createInsecure(),
  })
}
