import type { ConfigSchema } from '../component/index.js'

/** Where our own metrics and traces are sent. */
export const OTLP: ConfigSchema = {
  type: 'object',
  description: 'Over OTLP.',
  required: ['endpoint'],
  properties: {
    protocol: {
      enum: ['http/protobuf', 'grpc', 'grpc/protobuf'],
      default: 'http/protobuf',
      description: 'How to send.',
    },
    endpoint: {
      type: 'string',
      pattern: '^(?:https?://)?[^\\s/@$]+(?:/\\S*)?$',
      description: 'http(s)://host:port; for http/protobuf without a path /v1/metrics is added.',
      examples: ['https://collector.example.com:4318'],
    },
    headers: {
      anyOf: [
        { type: 'object', additionalProperties: { type: 'string', secret: true } },
        {
          type: 'array',
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string', description: 'Of the header.' },
              value: {
                type: ['string', 'null'],
                secret: true,
                description: 'Of the header; null: not sent.',
              },
            },
          },
        },
      ],
      description: 'Sent with each request; a map, or a list of name and value.',
    },
    compression: { enum: ['gzip', 'none'], default: 'none', description: 'Of the requests.' },
    timeout: { type: 'integer', minimum: 1, default: 10_000, description: 'Of a request, in ms.' },
    insecure: {
      type: 'boolean',
      description: 'gRPC without TLS; http:// before the endpoint says the same.',
    },
    certificate: { type: 'string', description: 'Authorities (PEM file) to trust.' },
    tls: {
      type: 'object',
      description: 'TLS to the endpoint.',
      properties: {
        insecure: { type: 'boolean', description: 'gRPC without TLS.' },
        ca_file: { type: 'string', description: 'Authorities (PEM file) to trust.' },
      },
    },
  },
  ignored: {
    temporality_preference: 'sums are cumulative',
    default_histogram_aggregation: 'histograms have the buckets that their instruments ask for',
    headers_list: 'write headers',
    client_key: 'there is no mutual TLS here: let a collector beside this one take the metrics',
    client_certificate: 'there is no mutual TLS here: let a collector beside this one take the metrics',
  },
}
