import { createSecureContext } from 'node:tls'
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  compressionAlgorithms,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js'
import {
  type ComponentContext,
  durationMs,
  type Exporter,
  type ExportRequest,
  errorText,
  type Sent,
} from 'tocsin/component'
import {
  authenticatorOf,
  openTlsSource,
  redact,
  secretsOf,
  type TlsConnectOptions,
  type TlsSource,
} from 'tocsin/http'
import {
  decodeResponse,
  decodeStatus,
  encodeOtlpProtoSteps,
  inSlices,
  type PartialSuccess,
  RPC_CODE,
  sentOfPartial,
} from 'tocsin/otlp'
import { type OtlpExporterConfig, type Target, targetOf } from './config.js'

const EXPORT = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
/** What may be sent again by the OTLP specification; RESOURCE_EXHAUSTED only with a RetryInfo. */
const RETRYABLE: ReadonlySet<number> = new Set([
  RPC_CODE.CANCELLED,
  RPC_CODE.DEADLINE_EXCEEDED,
  RPC_CODE.ABORTED,
  RPC_CODE.OUT_OF_RANGE,
  RPC_CODE.UNAVAILABLE,
  RPC_CODE.DATA_LOSS,
])

/** Sends requests over OTLP/gRPC, as bytes: gRPC itself encodes nothing. */
export class OtlpExporter implements Exporter {
  readonly #context: ComponentContext<OtlpExporterConfig>
  readonly #target: Target
  #client: Client | undefined
  #tls: TlsSource | undefined
  #tlsInUse: TlsConnectOptions | undefined
  #credentials: () => { readonly [name: string]: string } = () => ({})
  /** The last one: most servers repeat theirs with each answer. */
  #warning = ''

  constructor(context: ComponentContext<OtlpExporterConfig>) {
    this.#context = context
    this.#target = targetOf(context.config) as Target
  }

  async start(): Promise<void> {
    const { config } = this.#context
    if (config.auth) {
      const authenticator = authenticatorOf(this.#context, config.auth.authenticator, 'headers')
      this.#credentials = () => authenticator.headers()
    }
    if (this.#target.secure) this.#tls = await openTlsSource(config.tls, this.#context)
    await this.#renew()
  }

  async send({ records }: ExportRequest, signal: AbortSignal): Promise<Sent> {
    const headers = { ...this.#context.config.headers, ...this.#credentials() }
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
    await this.#renew()
    const answer = await this.#call(await inSlices(encodeOtlpProtoSteps(records), signal), metadata, signal)
    const { address } = this.#target
    const secrets = secretsOf(new URL('http://secrets'), headers, false)
    if (Buffer.isBuffer(answer)) {
      const onWarning = (message: string): void => this.#warn(message)
      return sentOfPartial(this.#partial(answer), address, { secrets, onWarning })
    }
    const details = signal.aborted ? this.#silence(signal) : redact(answer.details, secrets)
    const reason = `${address}: ${details} (gRPC code ${answer.code})`
    const [more] = answer.metadata.get('grpc-status-details-bin')
    const retryAfterMs = Buffer.isBuffer(more) ? decodeStatus(more, 'proto')?.retryAfterMs : undefined
    const again =
      RETRYABLE.has(answer.code) ||
      (answer.code === RPC_CODE.RESOURCE_EXHAUSTED && retryAfterMs !== undefined)
    if (!again) return { refused: records.map((_, index) => index), reason }
    return { reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  }

  async stop(): Promise<void> {
    this.#client?.close()
  }

  #call(body: Buffer, metadata: Metadata, signal: AbortSignal): Promise<Buffer | ServiceError> {
    return new Promise(resolve => {
      const client = this.#client as Client
      const call = client.makeUnaryRequest(EXPORT, same, same, body, metadata, (error, answer) => {
        signal.removeEventListener('abort', cancel)
        resolve(error ?? answer ?? Buffer.alloc(0))
      })
      const cancel = (): void => call.cancel()
      signal.addEventListener('abort', cancel, { once: true })
      if (signal.aborted) cancel()
    })
  }

  /** Why there was no answer within the time. */
  #silence({ reason }: AbortSignal): string {
    const state = this.#client?.getChannel().getConnectivityState(false)
    const what =
      state === connectivityState.READY ? 'takes connections but does not answer' : 'cannot be reached'
    return `${what}: ${errorText(reason)}`
  }

  /** A body that is no response takes nothing back: the status was OK. */
  #partial(answer: Buffer): PartialSuccess | undefined {
    try {
      return decodeResponse(answer, 'proto')
    } catch {
      this.#context.logger.debug('The message of a successful answer is no OTLP response.')
      return undefined
    }
  }

  #warn(warning: string): void {
    if (warning !== this.#warning)
      this.#context.logger.warn('The server took the records with a warning.', { warning })
    this.#warning = warning
  }

  /** A client with the certificates of now; the last one ends when its calls have ended. */
  async #renew(): Promise<void> {
    const options = await this.#tls?.current()
    if (this.#client && options === this.#tlsInUse) return
    this.#tlsInUse = options
    this.#client?.close()
    this.#client = new Client(
      this.#target.address,
      options ? channelCredentials(options) : credentials.createInsecure(),
      channelOptions(this.#context.config),
    )
  }
}

function channelCredentials(options: TlsConnectOptions): ChannelCredentials {
  const { rejectUnauthorized } = options
  return credentials.createFromSecureContext(createSecureContext(options), { rejectUnauthorized })
}

const same = (bytes: Buffer): Buffer => bytes

function channelOptions({ compression, keepalive, tls, authority }: OtlpExporterConfig): ChannelOptions {
  return {
    // Queue and retry are the core's.
    'grpc.enable_retries': 0,
    'grpc.initial_reconnect_backoff_ms': 500,
    'grpc.max_reconnect_backoff_ms': 10_000,
    'grpc.max_send_message_length': -1,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.primary_user_agent': 'tocsin',
    'grpc.default_compression_algorithm':
      compression === 'gzip' ? compressionAlgorithms.gzip : compressionAlgorithms.identity,
    ...(keepalive && {
      'grpc.keepalive_time_ms': durationMs(keepalive.time),
      'grpc.keepalive_timeout_ms': durationMs(keepalive.timeout),
      'grpc.keepalive_permit_without_calls': keepalive.permit_without_stream ? 1 : 0,
    }),
    ...(tls?.server_name_override && {
      'grpc.ssl_target_name_override': tls.server_name_override,
      'grpc.default_authority': tls.server_name_override,
    }),
    ...(authority && { 'grpc.default_authority': authority }),
  }
}
