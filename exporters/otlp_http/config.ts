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
