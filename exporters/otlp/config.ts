import { Metadata } from '@grpc/grpc-js'
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

export interface OtlpExporterConfig {
  readonly endpoint: string
  readonly compression: 'gzip' | 'none'
  readonly authority?: string
  readonly headers?: { readonly [name: string]: string }
  readonly tls?: TlsClientConfig
  readonly auth?: AuthConfig
  readonly keepalive?: {
    readonly time: string
    readonly timeout: string
    readonly permit_without_stream: boolean
  }
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['endpoint'],
  properties: {
    endpoint: {
      type: 'string',
      description: 'host:port. https:// before it, or nothing, or dns:///: with TLS; http://: without.',
      examples: ['collector.example.com:4317'],
    },
    compression: {
      enum: ['gzip', 'none'],
      default: 'gzip',
      description: 'Of the messages. For zstd use otlp_http: the gRPC library knows gzip only.',
    },
    authority: {
      type: 'string',
      minLength: 1,
      description: 'The :authority of the requests; by default what the endpoint says.',
    },
    headers: headersSchema,
    tls: tlsSchema,
    auth: authSchema('Who we are.'),
    keepalive: {
      type: 'object',
      description: 'Asks a silent server whether it is there; not when not set.',
      additionalProperties: false,
      properties: {
        time: { type: 'string', format: 'duration', default: '10s', description: 'After this silence.' },
        timeout: {
          type: 'string',
          format: 'duration',
          default: '20s',
          description: 'How long the server has for its answer.',
        },
        permit_without_stream: {
          type: 'boolean',
          default: false,
          description: 'Also without a request under way.',
        },
      },
    },
  },
  ignored: {
    balancer_name: 'there is one connection at a time; put a load balancer before several servers',
    wait_for_ready: 'what cannot be sent waits in the queue',
    read_buffer_size: 'buffers have the sizes that gRPC gives them',
    write_buffer_size: 'buffers have the sizes that gRPC gives them',
    middlewares: 'there are none',
    compression_params: 'the level is the usual one',
  },
  synonyms: { url: 'endpoint' },
}

export interface Target {
  /** For gRPC's resolver. */
  readonly address: string
  readonly secure: boolean
}

export function checkConfig(config: OtlpExporterConfig): CheckProblem[] {
  const problems = [...checkMetadata(config.headers), ...checkTls(config.tls, ['tls'])]
  if (!targetOf(config)) {
    const message = `"${config.endpoint}" is not of the form host:port`
    problems.push({ path: ['endpoint'], message, fix: 'for example collector.example.com:4317' })
  }
  return problems
}

/** gRPC allows less than HTTP does. */
function checkMetadata(headers: OtlpExporterConfig['headers']): CheckProblem[] {
  const problems = checkHeaders(headers, ['headers'])
  if (problems.length > 0) return problems
  for (const [name, value] of Object.entries(headers ?? {})) {
    try {
      new Metadata().set(name, value)
    } catch {
      // Its message shows the value, which may be a secret.
      problems.push({
        path: ['headers', name],
        message: 'gRPC does not allow this header',
        fix: 'use letters, digits, - _ . in the name, not -bin at its end, and ASCII in the value',
      })
    }
  }
  return problems
}

/** Undefined when the endpoint is none. */
export function targetOf({ endpoint, tls }: OtlpExporterConfig): Target | undefined {
  const match = /^(?:(https?):\/\/|dns:\/\/\/)?([^\s/@:]+|\[[0-9a-f:]+\]):(\d{1,5})\/?$/i.exec(endpoint)
  if (!match) return undefined
  const scheme = match[1]?.toLowerCase()
  const secure = scheme === undefined ? tls?.insecure !== true : scheme === 'https'
  return { address: `${match[2]}:${match[3]}`, secure }
}
