import { inspect } from 'node:util'
import type { Clock } from '../component/context.js'
import { errorText } from '../component/errors.js'
import type { Exporter, ExportRequest, Sent } from '../component/exporter.js'
import { onAbort } from '../component/on-abort.js'
import { AwakeTimer } from './awake-timer.js'

/** An exporter that does not heed its signal is left behind after this. */
const GRACE_MS = 1_000

/** So many attempts share a signal: with what an exporter leaves on it, it stays below the ten listeners at which Node warns. */
const ATTEMPTS_A_SIGNAL = 8

export interface AttemptOptions {
  /** 0: no limit. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Aborted: attempts are given up. */
  readonly stop: AbortSignal
}

/** Sends one request after another, or several at once. What an attempt needs serves the next: it costs as much as half of a small request. */
export class Attempts {
  readonly #options: AttemptOptions
  readonly #spare: Attempt[] = []
  readonly #underWay = new Set<Attempt>()

  constructor(options: AttemptOptions) {
    this.#options = options
    onAbort(options.stop, () => {
      for (const attempt of this.#underWay) attempt.cancel(STOPS)
    })
  }

  /** Sends once, within the time-out and until the stop. Never rejects. */
  async make(exporter: Exporter, request: ExportRequest): Promise<SendResult> {
    const attempt = this.#spare.pop() ?? new Attempt(this.#options)
    if (this.#options.stop.aborted) attempt.cancel(STOPS)
    this.#underWay.add(attempt)
    const result = await attempt.make(exporter, request)
    this.#underWay.delete(attempt)
    if (attempt.servesAgain()) this.#spare.push(attempt)
    else attempt.close()
    return result
  }

  /** Nothing more will be sent. */
  close(): void {
    for (const attempt of this.#spare.splice(0)) attempt.close()
  }
}

const STOPS = 'The exporter stops.'

/** One at a time. */
class Attempt {
  readonly #clock: Clock
  readonly #timer: AwakeTimer | undefined
  readonly #outOfTime: () => void
  #controller = newController()
  /** Attempts that the signal may still serve. */
  #left = ATTEMPTS_A_SIGNAL
  #resolve: ((result: SendResult) => void) | undefined
  #cancelGrace: (() => void) | undefined

  constructor({ timeoutMs, clock }: AttemptOptions) {
    this.#clock = clock
    this.#timer = timeoutMs === 0 ? undefined : new AwakeTimer(clock, timeoutMs)
    this.#outOfTime = () => this.cancel(`No answer within ${timeoutMs} ms.`)
  }

  make(exporter: Exporter, request: ExportRequest): Promise<SendResult> {
    this.#timer?.start(this.#outOfTime)
    return new Promise(resolve => {
      this.#resolve = resolve
      void sendOnce(exporter, request, this.#controller.signal).then(result => this.#end(result))
    })
  }

  cancel(reason: string): void {
    this.#controller.abort(new Error(reason))
    this.#cancelGrace ??= this.#clock.schedule(GRACE_MS, () => this.#end({ kind: 'failed', reason }))
  }

  /** After its end. */
  servesAgain(): boolean {
    if (this.#controller.signal.aborted) return false
    if (--this.#left === 0) {
      this.#controller = newController()
      this.#left = ATTEMPTS_A_SIGNAL
    }
    return true
  }

  close(): void {
    this.#timer?.close()
  }

  #end(result: SendResult): void {
    this.#timer?.stop()
    this.#cancelGrace?.()
    this.#resolve?.(result)
  }
}

function newController(): AbortController {
  const controller = new AbortController()
  // Keeps the one listener that `onAbort` has, which each attempt would else add and remove.
  onAbort(controller.signal, () => undefined)
  return controller
}

/** Also where `send` throws instead of rejecting, or answers what it must not. */
async function sendOnce(
  exporter: Exporter,
  request: ExportRequest,
  signal: AbortSignal,
): Promise<SendResult> {
  const count = request.records.length
  try {
    return resultOf(await exporter.send(request, signal), count)
  } catch (error) {
    // What an aborted request throws is a consequence.
    return signal.aborted
      ? { kind: 'failed', reason: (signal.reason as Error).message }
      : resultOfError(error, count)
  }
}

/** What an attempt to send came to. */
export type SendResult =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number | undefined }
  | { readonly kind: 'refused'; readonly reason: string; readonly indices: ReadonlySet<number> }
  | { readonly kind: 'rejected'; readonly reason: string; readonly count: number }

export function resultOf(sent: Sent, count: number): SendResult {
  if (sent === 'ok') return { kind: 'delivered' }
  // Third-party code may answer anything.
  if (!isAnswer(sent)) throw nonsense(sent, count)
  if ('rejected' in sent) {
    const { rejected, reason } = sent
    if (!(rejected > 0)) return { kind: 'delivered' }
    if (rejected >= count) return { kind: 'refused', reason, indices: allOf(count) }
    return { kind: 'rejected', reason, count: Math.ceil(rejected) }
  }
  if (!('refused' in sent)) return { kind: 'failed', reason: sent.reason, retryAfterMs: sent.retryAfterMs }
  const indices = new Set(
    sent.refused.filter(index => Number.isInteger(index) && index >= 0 && index < count),
  )
  if (indices.size > 0) return { kind: 'refused', reason: sent.reason, indices }
  if (sent.refused.length > 0) throw nonsense(sent, count)
  return { kind: 'delivered' }
}

function isAnswer(sent: unknown): boolean {
  if (typeof sent !== 'object' || sent === null) return false
  const { rejected, refused, reason } = sent as { readonly [key: string]: unknown }
  if (rejected !== undefined) return typeof rejected === 'number'
  return refused === undefined ? typeof reason === 'string' : Array.isArray(refused)
}

function nonsense(sent: unknown, count: number): TypeError {
  const records = count === 1 ? '1 record' : `${count} records`
  return new TypeError(
    `send() answered ${sent instanceof Error ? `the error "${errorText(sent)}"` : inspect(sent, { depth: 1 }).slice(0, 200)} for ${records}: it must answer 'ok', { reason }, { refused: [indices], reason } or { rejected: count, reason }`,
  )
}

/** A throw counts as retryable unless the error says otherwise. */
export function resultOfError(error: unknown, count: number): SendResult {
  const reason = errorText(error)
  const permanent = (error as { retryable?: unknown } | undefined)?.retryable === false
  return permanent ? { kind: 'refused', reason, indices: allOf(count) } : { kind: 'failed', reason }
}

function allOf(count: number): ReadonlySet<number> {
  return new Set(Array.from({ length: count }, (_, index) => index))
}
