import type { Tracer } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Clock, Logger } from '../component/index.js'
import { authorities, PushHealth, targetUrl } from './otlp-target.js'
import type { TraceExport, TraceOptions } from './push-options.js'

/** How long the last export may hold up a stop. */
const LAST_MS = 2_000

/** Loaded where a configuration asks for traces. */
export async function startTracing(
  { exports, ratio }: TraceOptions,
  resource: { readonly [name: string]: string },
  logger: Logger,
  clock: Clock,
): Promise<{ readonly tracer: Tracer; shutdown(): Promise<void> }> {
  const provider = new TracerProvider({
    resource: resourceFromAttributes(resource),
    sampler: new TraceIdRatioBasedSampler(ratio),
    spanProcessors: await Promise.all(exports.map(options => spanProcessor(options, logger))),
  })
  return {
    tracer: provider.getTracer('tocsin'),
    async shutdown() {
      const over = new AbortController()
      const late = clock.sleep(LAST_MS, over.signal).catch(() => {})
      await Promise.race([late, provider.shutdown().catch(() => {})])
      over.abort()
    },
  }
}

async function spanProcessor(options: TraceExport, logger: Logger): Promise<SpanProcessor> {
  const url = targetUrl(options, '/v1/traces')
  const ca = await authorities(options)
  const made =
    options.protocol === 'http'
      ? (await import('./trace-over-http.js')).tracesOverHttp(options, url, ca)
      : (await import('./trace-over-grpc.js')).tracesOverGrpc(options, url, ca)
  const exporter = told(made, new PushHealth('Our own traces', url, logger))
  const { batch } = options
  if (!batch) return new SimpleSpanProcessor({ exporter })
  return new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: batch.delayMs,
    exportTimeoutMillis: options.timeoutMs,
    maxQueueSize: batch.maxQueue,
    maxExportBatchSize: Math.min(batch.maxSize, batch.maxQueue),
  })
}

function told(exporter: SpanExporter, health: PushHealth): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, result => {
        if (result.code === 0) health.worked()
        else health.failed(result.error ?? new Error('the export failed'))
        // The library would report it a second time.
        done({ code: 0 })
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  }
}
