import type { Counter } from '@opentelemetry/api'
import { type OperatorFunction, tap } from 'rxjs'
import type { PipelineBatch } from './batch.js'

/** Counts what goes into and comes out of a processor (`otelcol_processor_incoming_items`, `..._outgoing_items`). */
export function instrument(
  operator: OperatorFunction<PipelineBatch, PipelineBatch>,
  counters: { readonly incoming: Counter; readonly outgoing: Counter },
  attributes: { readonly [key: string]: string },
): OperatorFunction<PipelineBatch, PipelineBatch> {
  return source =>
    source.pipe(
      tap(({ records }) => records.length > 0 && counters.incoming.add(records.length, attributes)),
      operator,
      tap(({ records }) => records.length > 0 && counters.outgoing.add(records.length, attributes)),
    )
}
