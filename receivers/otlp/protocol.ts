import type { AuthenticatorExtension, ComponentContext, Intake, RequestHeaders } from 'tocsin/component'
import { type AuthConfig, authenticatorOf } from 'tocsin/http'
import type { Budget } from './budget.js'
import type { OtlpConfig } from './config.js'
import type { Failure } from './failure.js'
import type { ReceiverMetrics } from './metrics.js'
import type { Scratch } from './scratch.js'

/** What the protocols of a receiver share. */
export interface Shared {
  readonly context: ComponentContext<OtlpConfig>
  readonly intake: Intake
  readonly budget: Budget
  readonly metrics: ReceiverMetrics
  readonly scratch: Scratch
}

export interface Protocol {
  start(): Promise<void>
  /** Takes no new requests; those under way go on. */
  stop(): void
  /** After the last settlement: lets the last replies go out, then closes. */
  close(): Promise<void>
}

export const STOPPING = { reason: 'stopping', retryAfterMs: 1_000 } as const

/** How long replies may take at the end. */
export const CLOSE_MS = 1_000

/** Checks who sends; nobody is refused without an `auth` key. */
export function guard(
  context: ComponentContext<unknown>,
  auth: AuthConfig | undefined,
): (headers: RequestHeaders) => Failure | undefined {
  if (!auth) return () => undefined
  const authenticator: Required<Pick<AuthenticatorExtension, 'authenticate'>> = authenticatorOf(
    context,
    auth.authenticator,
    'authenticate',
  )
  return headers => {
    const refusal = authenticator.authenticate(headers)
    if (!refusal) return undefined
    const message =
      refusal.reason === 'missing_credentials' ? 'Credentials are missing.' : 'Wrong credentials.'
    return { reason: 'unauthenticated', message, challenge: refusal.challenge }
  }
}
