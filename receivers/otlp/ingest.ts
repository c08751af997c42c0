import type { Clock, Intake, LogRecord, Records } from 'tocsin/component'
import {
  type DecodeOptions,
  inSlices,
  MAX_BATCH,
  MAX_OTLP_MESSAGES,
  OtlpDecodeError,
  type OtlpEncoding,
  OtlpLimitError,
  otlpJsonSteps,
  otlpProtoSteps,
  type PartialSuccess,
  requestIds,
  type Steps,
} from 'tocsin/otlp'
import { type Lease, MAX_RECORDS, RECORD_BYTES } from './budget.js'
import { busyFailure, type Failure, failure } from './failure.js'
import { hasMoreValues } from './json-size.js'
import { NO_ROOM } from './read.js'

export interface Accepted {
  readonly records: number
  /** Set when some records, not all, were refused. */
  readonly partial: PartialSuccess | undefined
  /** Call when the reply was sent: the sender will not repeat the request. */
  release(): void
}

interface IngestOptions {
  readonly intake: Intake
  readonly clock: Clock
  readonly lease: Lease
  readonly transport: 'grpc' | 'http'
}

/** Decodes a request and hands its records to the pipelines. Resolves when they are settled. */
export async function ingest(
  bytes: Buffer,
  encoding: OtlpEncoding,
  { intake, clock, lease, transport }: IngestOptions,
): Promise<Accepted | Failure> {
  let rejected = 0
  let message = ''
  const onUnfit = (index: number, reason: string): void => {
    if (rejected++ === 0) message = `Record ${index}: ${reason}`
  }
  let batches: readonly Records[]
  let records: number
  try {
    const options = { arrived: clock.now(), onUnfit, maxRecords: MAX_RECORDS }
    batches = await inSlices(
      encoding === 'proto' ? otlpProtoSteps(bytes, options) : jsonSteps(bytes, options),
    )
    records = batches.reduce((sum, batch) => sum + batch.length, 0)
  } catch (error) {
    if (!(error instanceof OtlpDecodeError)) throw error
    return failure(error instanceof OtlpLimitError ? 'too_large' : 'undecodable', error.message)
  }
  if (!lease.take(records * RECORD_BYTES)) return NO_ROOM
  if (rejected > 0 && records === 0) {
    intake.discarded('unfit_record', rejected)
    return failure('undecodable', message)
  }
  const settled = await intake.offerAll(batches, transport)
  if (settled.busy) return busyFailure(settled)
  // Not before: a busy answer brings the request again.
  if (rejected > 0) intake.discarded('unfit_record', rejected)
  return {
    records,
    partial: rejected > 0 ? { rejected, message } : undefined,
    release: () => settled.release(),
  }
}

/** Neighbours that share their Resource and Scope are a batch. */
function* jsonSteps(bytes: Buffer, options: Omit<DecodeOptions, 'id'>): Steps<Records[]> {
  if (yield* hasMoreValues(bytes, MAX_OTLP_MESSAGES)) throw new OtlpLimitError(`${MAX_OTLP_MESSAGES} values`)
  const batches: LogRecord[][] = []
  let last: LogRecord | undefined
  yield
  for (const record of yield* otlpJsonSteps(bytes, { ...options, id: requestIds(bytes) })) {
    const batch = batches.at(-1)
    const goesOn = last && last.resource === record.resource && last.scope === record.scope
    if (batch && goesOn && batch.length < MAX_BATCH) batch.push(record)
    else batches.push([record])
    last = record
    if (batch?.length === MAX_BATCH || batches.length % 256 === 0) yield
  }
  return batches
}
