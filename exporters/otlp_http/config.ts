import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import {
  type AuthConfig,
  authSchema,
  checkHeaders,
  checkTls,
  headersSchema,
  type TlsClientConfig,
  tlsSchema,
} from 'tocsin/http'
import type { OtlpEncoding } from 'tocsin/otlp'

export interface OtlpHttpConfig {
  readonly endpoint?: string
  readonly logs_endpoint?: string
  readonly encoding: OtlpEncoding
  readonly compression: 'gzip' | 'zstd' | 'none'
  readonly headers?: { readonly [name: string]: string }
  readonly tls?: TlsClientConfig
  readonly auth?: AuthConfig
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    endpoint: {
      type: 'string',
      format: 'http-url',
      description: 'The base URL; /v1/logs is added.',
      examples: ['https://collector.example.com:4318'],
    },
    logs_endpoint: {
      type: 'string',
      format: 'http-url',
      description: 'The URL for logs as it is, in place of endpoint.',
      examples: ['https://logs.example.com/insert/opentelemetry/v1/logs'],
    },
    encoding: { enum: ['proto', 'json'], default: 'proto', description: 'Protobuf or JSON.' },
    compression: { enum: ['gzip', 'zstd', 'none'], default: 'gzip', description: 'Of the bodies.' },
    headers: headersSchema,
    tls: tlsSchema,
    auth: authSchema('Who we are.'),
  },
  ignored: {
    traces_endpoint: 'only logs are sent',
    metrics_endpoint: 'only logs are sent',
    profiles_endpoint: 'only logs are sent',
    proxy_url: 'requests go straight to the endpoint, through no proxy',
    max_idle_conns: 'connections are kept as requests need them',
    max_idle_conns_per_host: 'connections are kept as requests need them',
    max_conns_per_host: 'sending_queue.num_consumers bounds the requests at a time',
    idle_conn_timeout: 'idle connections are closed after a few seconds',
    disable_keep_alives: 'connections are kept for the next request',
    http2_read_idle_timeout: 'requests are HTTP/1.1',
    http2_ping_timeout: 'requests are HTTP/1.1',
    force_attempt_http2: 'requests are HTTP/1.1',
    read_buffer_size: 'buffers have the sizes that Node gives them',
    write_buffer_size: 'buffers have the sizes that Node gives them',
    cookies: 'no cookies are kept',
    middlewares: 'there are none',
    compression_params: 'the level is the usual one',
  },
  synonyms: { url: 'endpoint' },
}

export function checkConfig(config: OtlpHttpConfig): CheckProblem[] {
  const problems = [...checkHeaders(config.headers, ['headers']), ...checkTls(config.tls, ['tls'])]
  if (config.endpoint === undefined && config.logs_endpoint === undefined)
    problems.push({ path: [], message: 'there is no endpoint', fix: 'add endpoint or logs_endpoint' })
  return problems
}

/** Where log requests go. */
export function logsUrl({ endpoint, logs_endpoint: exact }: OtlpHttpConfig): string {
  if (exact !== undefined) return exact
  const url = new URL(endpoint as string)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/logs`
  return url.href
}
