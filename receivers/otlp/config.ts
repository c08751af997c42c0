import { byteSize, type CheckProblem, type ConfigSchema } from 'tocsin/component'
import {
  type AuthConfig,
  authSchema,
  checkServerTls,
  type TlsServerConfig,
  tlsServerSchema,
} from 'tocsin/http'

export interface OtlpConfig {
  readonly protocols: { readonly grpc?: GrpcConfig; readonly http?: HttpConfig }
}

interface CommonConfig {
  readonly endpoint: string
  readonly tls?: TlsServerConfig
  readonly auth?: AuthConfig
  readonly include_metadata?: boolean
}

export interface GrpcConfig extends CommonConfig {
  readonly max_recv_msg_size_mib: number
  readonly max_concurrent_streams: number
  readonly keepalive: KeepaliveConfig
}

export interface KeepaliveConfig {
  readonly server_parameters: {
    readonly max_connection_idle?: string
    readonly max_connection_age?: string
    readonly max_connection_age_grace?: string
    readonly time: string
    readonly timeout: string
  }
  readonly enforcement_policy: { readonly min_time: string; readonly permit_without_stream: boolean }
}

export interface HttpConfig extends CommonConfig {
  readonly logs_url_path: string
  readonly max_request_body_size: string | number
  readonly compression_algorithms?: readonly string[]
  readonly cors?: CorsConfig
  readonly read_timeout: string
  readonly read_header_timeout: string
  readonly idle_timeout: string
}

export interface CorsConfig {
  readonly allowed_origins: readonly string[]
  readonly allowed_headers: readonly string[]
  readonly max_age?: number
}

const common = (endpoint: string): { readonly [key: string]: ConfigSchema } => ({
  endpoint: {
    type: 'string',
    format: 'endpoint',
    default: endpoint,
    description: 'Where to listen, host:port. The default takes senders of this machine only.',
    examples: [endpoint.replace('127.0.0.1', '0.0.0.0')],
  },
  tls: tlsServerSchema,
  auth: authSchema('Who may send.'),
  include_metadata: {
    type: 'boolean',
    description: 'Known from the Collector; has no effect, as pipelines carry no headers of requests.',
  },
})

const duration = (value: string | undefined, description: string): ConfigSchema => ({
  type: 'string',
  format: 'duration',
  description,
  ...(value !== undefined && { default: value }),
})

const keepalive: ConfigSchema = {
  type: 'object',
  default: {},
  description: 'Keepalive of gRPC connections, with the keys and defaults of the Collector.',
  additionalProperties: false,
  properties: {
    server_parameters: {
      type: 'object',
      default: {},
      description: 'What the server does of its own accord.',
      additionalProperties: false,
      properties: {
        max_connection_idle: duration(undefined, 'Closes connections without requests; never when not set.'),
        max_connection_age: duration(
          undefined,
          'Closes connections of this age, gently; never when not set.',
        ),
        max_connection_age_grace: duration(undefined, 'Then waits this long for their requests.'),
        time: duration('2h', 'Asks a silent client whether it is there; 0: never.'),
        timeout: duration('20s', 'How long the client has for its answer.'),
      },
    },
    enforcement_policy: {
      type: 'object',
      default: {},
      description: 'What clients may do.',
      additionalProperties: false,
      properties: {
        min_time: duration('5m', 'Clients that ping more often are sent away.'),
        permit_without_stream: {
          type: 'boolean',
          default: false,
          description: 'Whether clients may ping without a request under way.',
        },
      },
    },
  },
}

const grpc: ConfigSchema = {
  type: 'object',
  description: 'OTLP over gRPC. Without a value: with its defaults.',
  additionalProperties: false,
  properties: {
    ...common('127.0.0.1:4317'),
    max_recv_msg_size_mib: {
      type: 'integer',
      minimum: 1,
      maximum: 1_024,
      default: 64,
      description: 'The largest message in MiB, after decompression. The default is what OTLP recommends.',
    },
    max_concurrent_streams: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      default: 100,
      description: 'Requests at a time of one connection.',
    },
    keepalive,
  },
  ignored: {
    transport: 'it listens on TCP',
    read_buffer_size: 'buffers have the sizes that Node gives them',
    write_buffer_size: 'buffers have the sizes that Node gives them',
    middlewares: 'there are none',
  },
}

const http: ConfigSchema = {
  type: 'object',
  description: 'OTLP over HTTP, protobuf and JSON. Without a value: with its defaults.',
  additionalProperties: false,
  properties: {
    ...common('127.0.0.1:4318'),
    logs_url_path: { type: 'string', default: '/v1/logs', description: 'The path of log requests.' },
    max_request_body_size: {
      type: ['string', 'integer'],
      format: 'byte-size',
      default: '64MiB',
      description: 'The largest body, before and after decompression. The default is what OTLP recommends.',
    },
    compression_algorithms: {
      type: 'array',
      items: { enum: ['', 'gzip', 'zlib', 'deflate', 'zstd', 'snappy', 'x-snappy-framed', 'lz4'] },
      description: 'The encodings of bodies that are taken; without this key all of them.',
      examples: [['', 'gzip', 'zstd']],
    },
    cors: {
      type: 'object',
      description: 'Lets web pages send (CORS).',
      additionalProperties: false,
      properties: {
        allowed_origins: {
          type: 'array',
          items: { type: 'string' },
          default: [],
          description: 'Origins of pages that may send; * stands for any characters.',
          examples: [['https://*.example.com']],
        },
        allowed_headers: {
          type: 'array',
          items: { type: 'string' },
          default: [],
          description: 'Headers they may send besides the usual ones; * for any.',
        },
        max_age: { type: 'integer', minimum: 0, description: 'Seconds for which browsers remember this.' },
      },
    },
    read_timeout: duration('1m', 'From the first byte of a request to its last; 0: no limit.'),
    read_header_timeout: duration('1m', 'The same for the headers.'),
    idle_timeout: duration('1m', 'Closes connections without requests.'),
  },
  ignored: {
    traces_url_path: 'only logs are taken',
    metrics_url_path: 'only logs are taken',
    profiles_url_path: 'only logs are taken',
    response_headers: 'answers carry the headers that OTLP asks for',
    keep_alives_enabled: 'connections are kept until idle_timeout',
    write_timeout: 'an answer is short, and goes out when the records have settled',
    middlewares: 'there are none',
  },
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    protocols: {
      type: 'object',
      default: { grpc: {}, http: {} },
      description: 'The protocols to listen for: those that are named; without this key all of them.',
      additionalProperties: false,
      properties: { grpc, http },
    },
  },
}

export function checkConfig({ protocols }: OtlpConfig): CheckProblem[] {
  const problems: CheckProblem[] = []
  if (!protocols.grpc && !protocols.http) {
    const fix = 'add grpc: or http: below it, or remove it for both'
    problems.push({ path: ['protocols'], message: 'no protocol is named', fix })
  }
  for (const name of ['grpc', 'http'] as const) {
    const protocol = protocols[name]
    const path = ['protocols', name]
    problems.push(...checkServerTls(protocol?.tls, [...path, 'tls']))
    if (name === 'http' && protocols.http?.compression_algorithms?.includes('lz4')) {
      problems.push({
        path: [...path, 'compression_algorithms'],
        message: 'lz4 has no effect here: such a body is refused, with what is possible instead',
        fix: 'remove it',
        severity: 'warning',
      })
    }
    if (protocol?.include_metadata) {
      problems.push({
        path: [...path, 'include_metadata'],
        message: 'include_metadata has no effect: pipelines carry no headers of requests',
        fix: 'remove it',
        severity: 'warning',
      })
    }
  }
  const size = protocols.http?.max_request_body_size
  if (size !== undefined && byteSize(size) === 0) {
    const path = ['protocols', 'http', 'max_request_body_size']
    problems.push({ path, message: 'every request is larger', fix: 'remove it for 64MiB' })
  }
  const path = protocols.http?.logs_url_path
  if (path !== undefined && !/^\/[\w\-./~]*$/.test(path)) {
    problems.push({
      path: ['protocols', 'http', 'logs_url_path'],
      message: `"${path}" is not a path`,
      fix: 'begin with / and use letters, digits, -, _ and .',
    })
  }
  return problems
}
