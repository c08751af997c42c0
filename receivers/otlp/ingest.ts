import type { Clock, Intake, Records } from 'tocsin/component'
import {
  inSlices,
  MAX_OTLP_MESSAGES,
  OtlpDecodeError,
  type OtlpEncoding,
  OtlpLimitError,
  otlpJsonBatches,
  otlpProtoSteps,
  type PartialSuccess,
  type ProtoDecodeOptions,
  requestIdSteps,
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
  /** Nobody has seen a record that may still hold on to the bytes. */
  readonly isUnheld: boolean
  /** Call when the reply was sent: the sender will not repeat the request. */
  release(): void
}

interface IngestOptions {
  readonly intake: Intake
  readonly clock: Clock
  readonly lease: Lease
  readonly transport: 'grpc' | 'http'
  /** Told of so many records, resources and scopes that kept only their first values. */
  readonly onCut: (count: number) => void
}

/** Decodes a request and hands its records to the pipelines. Resolves when they are settled. */
export async function ingest(
  bytes: Buffer,
  encoding: OtlpEncoding,
  { intake, clock, lease, transport, onCut }: IngestOptions,
): Promise<Accepted | Failure> {
  let rejected = 0
  let message = ''
  const onUnfit = (index: number, reason: string): void => {
    if (rejected++ === 0) message = `Record ${index}: ${reason}`
  }
  let cut = 0
  const sieve = encoding === 'proto' ? intake.sift?.() : undefined
  let batches: readonly Records[]
  let records: number
  try {
    const options = { arrived: clock.now(), onUnfit, onCut: () => cut++, maxRecords: MAX_RECORDS, sieve }
    batches = await inSlices(decodeSteps(bytes, encoding, options))
    records = batches.reduce((sum, batch) => sum + batch.length, sieve?.unwanted ?? 0)
  } catch (error) {
    if (!(error instanceof OtlpDecodeError)) throw error
    return failure(error instanceof OtlpLimitError ? 'too_large' : 'undecodable', error.message)
  }
  if (!lease.take(records * RECORD_BYTES)) return NO_ROOM
  if (rejected > 0 && records === 0) {
    intake.discarded('unfit_record', rejected)
    return failure('undecodable', message)
  }
  const settled = await (sieve ?? intake).offerAll(batches, transport)
  if (settled.busy) return busyFailure(settled)
  // Not before: a busy answer brings the request again.
  if (rejected > 0) intake.discarded('unfit_record', rejected)
  if (cut > 0) onCut(cut)
  return {
    records,
    isUnheld: batches.length === 0,
    partial: rejected > 0 ? { rejected, message } : undefined,
    release: () => settled.release(),
  }
}

function* decodeSteps(
  bytes: Buffer,
  encoding: OtlpEncoding,
  options: Omit<ProtoDecodeOptions, 'id'>,
): Steps<Records[]> {
  if (encoding === 'json' && (yield* hasMoreValues(bytes, MAX_OTLP_MESSAGES)))
    throw new OtlpLimitError(`${MAX_OTLP_MESSAGES} values`)
  const whole = { ...options, id: yield* requestIdSteps(bytes) }
  return yield* encoding === 'json' ? otlpJsonBatches(bytes, whole) : otlpProtoSteps(bytes, whole)
}
