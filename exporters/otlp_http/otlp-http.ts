import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { ComponentContext, Exporter, ExportRequest, Sent } from 'tocsin/component'
import {
  authenticatorOf,
  createHttpSender,
  type HttpAnswer,
  type HttpSender,
  openTlsSource,
  redact,
  secretsOf,
  sentOf,
} from 'tocsin/http'
import {
  decodeResponse,
  decodeStatus,
  encodeOtlpJsonSteps,
  encodeOtlpProtoSteps,
  inSlices,
  type PartialSuccess,
  sentOfPartial,
  zstd,
} from 'tocsin/otlp'
import { logsUrl, type OtlpHttpConfig } from './config.js'

const CONTENT_TYPE = { proto: 'application/x-protobuf', json: 'application/json' } as const
/** What may be sent again by the OTLP specification; any other failure is final. */
const RETRYABLE = new Set([429, 502, 503, 504])

const COMPRESS = {
  gzip: promisify<Buffer, Uint8Array>(gzip),
  zstd,
  none: async (plain: Buffer): Promise<Uint8Array> => plain,
} as const

/** Sends requests over OTLP/HTTP. */
export class OtlpHttpExporter implements Exporter {
  readonly #context: ComponentContext<OtlpHttpConfig>
  #sender: HttpSender | undefined
  #credentials: () => { readonly [name: string]: string } = () => ({})
  /** The last one: most servers repeat theirs with each answer. */
  #warning = ''

  constructor(context: ComponentContext<OtlpHttpConfig>) {
    this.#context = context
  }

  async start(): Promise<void> {
    const { config, clock } = this.#context
    const { auth, headers = {}, compression } = config
    if (auth) {
      const authenticator = authenticatorOf(this.#context, auth.authenticator, 'headers')
      this.#credentials = () => authenticator.headers()
    }
    this.#sender = createHttpSender({
      endpoint: logsUrl(config),
      clock,
      tls: await openTlsSource(config.tls, this.#context),
      headers: {
        ...headers,
        'content-type': CONTENT_TYPE[config.encoding],
        ...(compression !== 'none' && { 'content-encoding': compression }),
      },
    })
  }

  async send({ records }: ExportRequest, signal: AbortSignal): Promise<Sent> {
    const { encoding, compression } = this.#context.config
    const sender = this.#sender as HttpSender
    const plain = await inSlices(
      encoding === 'json' ? encodeOtlpJsonSteps(records) : encodeOtlpProtoSteps(records),
      signal,
    )
    const body = await COMPRESS[compression](plain)
    const credentials = this.#credentials()
    const answer = await sender.send({ body, secretHeaders: credentials }, signal)
    if (answer.kind !== 'ok') return sentOf(this.#failure(answer, credentials), records.length)
    return sentOfPartial(this.#partial(answer), sender.target, {
      secrets: this.#secrets(credentials),
      onWarning: message => this.#warn(message),
    })
  }

  async stop(): Promise<void> {
    await this.#sender?.close()
  }

  /** By the OTLP specification's list of codes, with the delay of a RetryInfo where there is no Retry-After. */
  #failure(
    answer: Exclude<HttpAnswer, { kind: 'ok' }>,
    credentials: { readonly [name: string]: string },
  ): HttpAnswer {
    const { config } = this.#context
    const { status, body } = answer
    const found = body && decodeStatus(body, config.encoding)
    let { reason } = answer
    if (found?.message) {
      const message = redact(found.message, this.#secrets(credentials))
      reason = `${this.#sender?.target} answered ${status}: ${message}`
    }
    if (answer.kind === 'refused' || (status !== undefined && !RETRYABLE.has(status)))
      return { kind: 'refused', reason }
    const retryAfterMs = answer.retryAfterMs ?? found?.retryAfterMs
    return { kind: 'retry', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  }

  #secrets(credentials: { readonly [name: string]: string }): string[] {
    const { config } = this.#context
    return secretsOf(new URL(logsUrl(config)), { ...config.headers, ...credentials }, false)
  }

  #warn(warning: string): void {
    if (warning !== this.#warning)
      this.#context.logger.warn('The server took the records with a warning.', { warning })
    this.#warning = warning
  }

  /** A body that is no response takes nothing back: the status was 2xx. */
  #partial({ headers, body }: Extract<HttpAnswer, { kind: 'ok' }>): PartialSuccess | undefined {
    try {
      return decodeResponse(body, /json/i.test(String(headers['content-type'])) ? 'json' : 'proto')
    } catch {
      this.#context.logger.debug('The body of a successful answer is no OTLP response.')
      return undefined
    }
  }
}
