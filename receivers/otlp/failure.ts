import type { Busy } from 'tocsin/component'
import { RPC_CODE, type RpcStatus } from 'tocsin/otlp'

/** Why a request was not taken; the metric and the answer use it. */
export type FailureReason = keyof typeof ANSWERS

export interface Failure {
  readonly reason: FailureReason
  readonly message: string
  readonly retryAfterMs?: number
  /** The WWW-Authenticate header. */
  readonly challenge?: string
}

const ANSWERS = {
  undecodable: [400, RPC_CODE.INVALID_ARGUMENT],
  unauthenticated: [401, RPC_CODE.UNAUTHENTICATED],
  not_found: [404, RPC_CODE.UNIMPLEMENTED],
  method_not_allowed: [405, RPC_CODE.UNIMPLEMENTED],
  too_large: [413, RPC_CODE.RESOURCE_EXHAUSTED],
  unsupported_media_type: [415, RPC_CODE.INVALID_ARGUMENT],
  unsupported_encoding: [415, RPC_CODE.UNIMPLEMENTED],
  busy: [429, RPC_CODE.RESOURCE_EXHAUSTED],
  // gRPC alone has deadlines.
  deadline_exceeded: [504, RPC_CODE.DEADLINE_EXCEEDED],
  // gRPC's own framing is broken.
  bad_framing: [400, RPC_CODE.INTERNAL],
  internal: [500, RPC_CODE.INTERNAL],
  stopping: [503, RPC_CODE.UNAVAILABLE],
} as const

export const httpStatusOf = ({ reason }: Failure): number => ANSWERS[reason][0]

/** Only what may be sent again has a retry delay: by the OTLP specification RESOURCE_EXHAUSTED is final without. */
export function rpcStatusOf({ reason, message, retryAfterMs }: Failure): RpcStatus {
  return { code: ANSWERS[reason][1], message, retryAfterMs }
}

export function failure(reason: FailureReason, message: string): Failure {
  return { reason, message }
}

export function busyFailure({ reason, retryAfterMs }: Pick<Busy, 'reason' | 'retryAfterMs'>): Failure {
  return reason === 'stopping'
    ? { reason: 'stopping', message: 'The collector stops or reloads: try again.', retryAfterMs }
    : { reason: 'busy', message: `The collector is busy (${reason}): try again later.`, retryAfterMs }
}

export function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'reason' in value && 'message' in value
}
