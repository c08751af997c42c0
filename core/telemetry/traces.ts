import type { Tracer } from '@opentelemetry/api'
import { type Clock, type Exporter, errorText, type Logger } from '../component/index.js'
import type { TraceOptions } from './push-options.js'

/** Traces of a collector: off, and nothing of it loaded, until a configuration says where they go. */
export class Traces {
  #applied = '[]'
  #tracer: Tracer | undefined
  #shutdown: () => Promise<void> = async () => {}

  constructor(
    private readonly resource: { readonly [name: string]: string },
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {}

  /** Before the pipelines are built: they ask once. */
  async apply(options: TraceOptions | undefined): Promise<void> {
    const wanted = JSON.stringify(options ?? [])
    if (wanted === this.#applied) return
    await this.close()
    this.#applied = wanted
    if (!options) return
    const { startTracing } = await import('./tracing.js')
    const { tracer, shutdown } = await startTracing(options, this.resource, this.logger, this.clock)
    this.#tracer = tracer
    this.#shutdown = shutdown
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    const shutdown = this.#shutdown
    this.#applied = '[]'
    this.#tracer = undefined
    this.#shutdown = async () => {}
    await shutdown()
  }

  /**
   * A span for each attempt to send, named as the Collector's are: `exporter/webhook/ops/logs`, with how many records
   * were taken and how many were not. The exporter itself while nothing is traced.
   */
  exporter(id: string, exporter: Exporter): Exporter {
    const tracer = this.#tracer
    if (!tracer) return exporter
    return {
      start: async () => exporter.start?.(),
      stop: async () => exporter.stop?.(),
      async send(request, signal) {
        const { records, pipeline, attempt } = request
        const span = tracer.startSpan(`exporter/${id}/logs`, {
          attributes: { exporter: id, pipeline, attempt },
        })
        let taken = 0
        try {
          const sent = await exporter.send(request, signal)
          if (sent === 'ok') taken = records.length
          else {
            if ('rejected' in sent) taken = records.length - sent.rejected
            if ('refused' in sent) taken = records.length - sent.refused.length
            span.setStatus({ code: ERROR, message: sent.reason })
          }
          return sent
        } catch (error) {
          span.setStatus({ code: ERROR, message: errorText(error) })
          throw error
        } finally {
          span.setAttributes({ 'items.sent': taken, 'items.failed': records.length - taken })
          span.end()
        }
      },
    }
  }

  /** A span for each offer of a receiver, until its records are settled: `receiver/otlp/LogsReceived`. */
  receiver(id: string): ((records: number, transport?: string) => (refusal?: string) => void) | undefined {
    const tracer = this.#tracer
    if (!tracer) return undefined
    return (records, transport) => {
      const span = tracer.startSpan(`receiver/${id}/LogsReceived`, {
        attributes: { receiver: id, ...(transport !== undefined && { transport }) },
      })
      return refusal => {
        span.setAttributes({
          accepted_log_records: refusal === undefined ? records : 0,
          refused_log_records: refusal === undefined ? 0 : records,
        })
        if (refusal !== undefined) span.setStatus({ code: ERROR, message: refusal })
        span.end()
      }
    }
  }
}

/** SpanStatusCode.ERROR */
const ERROR = 2
