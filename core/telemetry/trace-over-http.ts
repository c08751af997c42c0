import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import type { SpanExporter } from '@opentelemetry/sdk-trace'
import type { OtlpTarget } from './push-options.js'

/** Loaded where a configuration sends traces this way; a module of ours, as bundles take names from these only. */
export function tracesOverHttp(
  { headers, gzip, timeoutMs }: OtlpTarget,
  url: string,
  ca: Buffer | undefined,
): SpanExporter {
  return new OTLPTraceExporter({
    url,
    timeoutMillis: timeoutMs,
    compression: (gzip ? 'gzip' : 'none') as never,
    headers: { ...headers },
    ...(ca && { httpAgentOptions: { ca } }),
  })
}
