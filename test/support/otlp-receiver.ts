import type { ComponentContext, Receiver } from 'tocsin/component'
import { type CollectingIntake, collectingIntake, testContext } from 'tocsin/testing'
import { onTestFinished } from 'vitest'
import type { GrpcConfig, HttpConfig, OtlpConfig } from '../../receivers/otlp/config.js'
import { otlpReceiver } from '../../receivers/otlp/index.js'
import { freePort } from './free-port.js'

export interface TestReceiver {
  readonly receiver: Receiver
  readonly intake: CollectingIntake
  readonly context: ReturnType<typeof testContext<OtlpConfig>>
  /** `http://127.0.0.1:PORT/v1/logs`. */
  readonly url: string
  /** `127.0.0.1:PORT`. */
  readonly grpc: string
  post(
    body: string | Uint8Array,
    headers?: { readonly [name: string]: string },
    init?: { readonly method?: string; readonly path?: string },
  ): Promise<HttpReply>
  stop(): Promise<void>
}

export interface HttpReply {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

/** The `otlp` receiver on free ports, into an intake that keeps what comes. */
export async function startReceiver(
  config: { readonly http?: Partial<HttpConfig>; readonly grpc?: Partial<GrpcConfig> } = {},
  options: {
    readonly manual?: boolean
    readonly extensions?: { readonly [id: string]: unknown }
    readonly context?: Partial<ComponentContext<OtlpConfig>>
  } = {},
): Promise<TestReceiver> {
  const full = await receiverConfig(config)
  const context = testContext<OtlpConfig>({
    ...options.context,
    config: full,
    ...(options.extensions && { extensions: options.extensions }),
  })
  const intake = collectingIntake({ manual: options.manual ?? false })
  const receiver = otlpReceiver.create(context)
  await receiver.start(intake)
  const origin = `http://${full.protocols.http.endpoint}`
  return {
    receiver,
    intake,
    context,
    url: `${origin}/v1/logs`,
    grpc: full.protocols.grpc.endpoint,
    post: async (body, headers = {}, { method = 'POST', path = '/v1/logs' } = {}) => {
      const answer = await fetch(`${origin}${path}`, {
        method,
        headers,
        ...(method === 'POST' && { body: body as NonNullable<RequestInit['body']> }),
      })
      return {
        status: answer.status,
        headers: answer.headers,
        body: Buffer.from(await answer.arrayBuffer()),
      }
    },
    stop: async () => {
      await receiver.stop()
      await receiver.close?.()
      await context.close()
    },
  }
}

/** As `startReceiver`, and it ends with the test. */
export async function started(...args: Parameters<typeof startReceiver>): Promise<TestReceiver> {
  const receiver = await startReceiver(...args)
  onTestFinished(() => receiver.stop())
  return receiver
}

/** With its defaults, on free ports. */
export async function receiverConfig({
  http = {},
  grpc = {},
}: {
  readonly http?: Partial<HttpConfig>
  readonly grpc?: Partial<GrpcConfig>
} = {}): Promise<{ protocols: { http: HttpConfig; grpc: GrpcConfig } }> {
  return {
    protocols: {
      http: {
        endpoint: `127.0.0.1:${await freePort()}`,
        logs_url_path: '/v1/logs',
        max_request_body_size: '20MiB',
        read_timeout: '1m',
        read_header_timeout: '1m',
        idle_timeout: '1m',
        ...http,
      },
      grpc: {
        endpoint: `127.0.0.1:${await freePort()}`,
        max_recv_msg_size_mib: 4,
        max_concurrent_streams: 100,
        keepalive: {
          server_parameters: { time: '2h', timeout: '20s' },
          enforcement_policy: { min_time: '5m', permit_without_stream: false },
        },
        ...grpc,
      },
    },
  }
}
