import type { ConfigSchema } from '../component/index.js'

const PROMETHEUS: ConfigSchema = {
  type: 'object',
  description: 'Where Prometheus finds our metrics.',
  properties: {
    host: { type: 'string', default: 'localhost', description: 'Where to listen.' },
    port: {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      examples: [8888],
      description: 'Of http://HOST:PORT/metrics.',
    },
  },
  required: ['port'],
  ignored: Object.fromEntries(
    [
      'without_units',
      'without_scope_info',
      'without_type_suffix',
      'with_resource_constant_labels',
      'translation_strategy',
      'without_target_info',
      'without_target_info/development',
      'without_scope_info/development',
      'translation_strategy/development',
      'with_resource_constant_labels/development',
    ].map(key => [
      key,
      "names are those that the READMEs give, for the Collector's own as the Collector has them",
    ]),
  ),
}

const NO_CHOICE = 'all of our metrics are sent'

const OTLP: ConfigSchema = {
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

const PERIODIC: ConfigSchema = {
  type: 'object',
  required: ['exporter'],
  description: 'Sends our metrics over OTLP.',
  properties: {
    interval: { type: 'integer', minimum: 1_000, default: 60_000, description: 'How often, in ms.' },
    timeout: { type: 'integer', minimum: 1, default: 30_000, description: 'Of one export, in ms.' },
    exporter: {
      type: 'object',
      description: 'One of them: where to, and how.',
      properties: { otlp: OTLP, otlp_http: OTLP, otlp_grpc: OTLP },
      ignored: { console: 'our metrics are not printed: curl shows them at the address of pull' },
    },
  },
  ignored: { producers: NO_CHOICE, cardinality_limits: NO_CHOICE },
}

const READER: ConfigSchema = {
  type: 'object',
  description: 'pull: to be scraped by Prometheus; periodic: sent over OTLP.',
  properties: {
    pull: {
      type: 'object',
      description: 'To be scraped by Prometheus.',
      required: ['exporter'],
      properties: {
        exporter: {
          type: 'object',
          description: 'prometheus, with host and port.',
          properties: { prometheus: PROMETHEUS, 'prometheus/development': PROMETHEUS },
          aliases: { 'prometheus/development': 'prometheus' },
          required: ['prometheus'],
        },
      },
      ignored: { producers: NO_CHOICE, cardinality_limits: NO_CHOICE },
    },
    periodic: PERIODIC,
  },
  anyOf: [{ required: ['pull'] }, { required: ['periodic'] }],
}

const SPAN_EXPORTER: ConfigSchema = {
  type: 'object',
  description: 'One of them: where to, and how.',
  properties: { otlp: OTLP, otlp_http: OTLP, otlp_grpc: OTLP },
  ignored: { console: 'our traces are not printed' },
}

const empty = (description: string): ConfigSchema => ({
  type: ['object', 'null'],
  additionalProperties: false,
  description,
})

const RATIO: ConfigSchema = {
  type: 'object',
  description: 'A share of the batches.',
  required: ['ratio'],
  properties: {
    ratio: { type: 'number', minimum: 0, maximum: 1, examples: [0.1], description: '1 is all of them.' },
  },
}

const ROOT_SAMPLERS = {
  always_on: empty('Every batch.'),
  always_off: empty('No batch.'),
  trace_id_ratio_based: RATIO,
} as const

const TRACES: ConfigSchema = {
  type: 'object',
  description: 'Spans of what comes in and of what is sent, over OTLP; none without processors.',
  properties: {
    level: {
      enum: ['none', 'basic', 'normal', 'detailed'],
      default: 'normal',
      description: 'none: no traces.',
    },
    processors: {
      type: 'array',
      maxItems: 10,
      description: 'How spans are sent.',
      items: {
        type: 'object',
        properties: {
          batch: {
            type: 'object',
            description: 'Many in one request.',
            required: ['exporter'],
            properties: {
              schedule_delay: {
                type: 'integer',
                minimum: 1,
                default: 5_000,
                description: 'How long spans wait for more, in ms.',
              },
              export_timeout: {
                type: 'integer',
                minimum: 1,
                default: 30_000,
                description: 'Of one export, in ms.',
              },
              max_queue_size: {
                type: 'integer',
                minimum: 1,
                maximum: 100_000,
                default: 2_048,
                description: 'Spans that wait; further ones are dropped.',
              },
              max_export_batch_size: {
                type: 'integer',
                minimum: 1,
                default: 512,
                description: 'Spans of one export.',
              },
              exporter: SPAN_EXPORTER,
            },
          },
          simple: {
            type: 'object',
            description: 'Each by itself, at once.',
            required: ['exporter'],
            properties: { exporter: SPAN_EXPORTER },
          },
        },
        anyOf: [{ required: ['batch'] }, { required: ['simple'] }],
      },
    },
    sampler: {
      type: 'object',
      description: 'Which batches make spans; all without it.',
      properties: {
        ...ROOT_SAMPLERS,
        parent_based: {
          type: 'object',
          description: 'What root says: a batch has no parent here.',
          properties: { root: { type: 'object', description: 'One of these.', properties: ROOT_SAMPLERS } },
          ignored: Object.fromEntries(
            [
              'remote_parent_sampled',
              'remote_parent_not_sampled',
              'local_parent_sampled',
              'local_parent_not_sampled',
            ].map(key => [key, 'what the collector does has no parent: root decides']),
          ),
        },
      },
    },
  },
  ignored: {
    propagators: 'no context comes with log records',
    limits: "the spans are the collector's own, and small",
  },
}

const ATTRIBUTE: ConfigSchema = {
  type: ['string', 'number', 'boolean', 'null', 'array'],
  description: 'Of the attribute; null drops it.',
}

/** `service.telemetry`. */
export const TELEMETRY_SCHEMA: ConfigSchema = {
  type: 'object',
  default: {},
  description: "The collector's own logs, metrics and traces.",
  properties: {
    logs: {
      type: 'object',
      default: {},
      description: 'On standard error.',
      properties: {
        level: {
          enum: ['debug', 'info', 'warn', 'error'],
          default: 'info',
          description: 'The least that is said.',
        },
        encoding: {
          enum: ['console', 'json'],
          description: 'Default: console on a terminal, else json.',
        },
      },
      ignored: {
        development: 'errors always say what is needed to act',
        output_paths: 'our log goes to standard error',
        error_output_paths: 'our log goes to standard error',
        initial_fields: 'service.telemetry.resource names this collector on its metrics',
        sampling: 'nothing is logged per record',
        disable_caller: 'no line names its place in the code',
        disable_stacktrace: 'no line has a stack trace',
        disable_zap_resource: 'no line repeats the resource',
        processors:
          'our log goes to standard error only: let journald or a file_log receiver take it from there',
      },
    },
    metrics: {
      type: 'object',
      default: {},
      description: 'Numbers about the collector itself.',
      properties: {
        level: {
          enum: ['none', 'basic', 'normal', 'detailed'],
          default: 'normal',
          description: 'none: none are computed; else all.',
        },
        address: {
          type: 'string',
          format: 'endpoint',
          examples: ['127.0.0.1:8888'],
          description: 'Where Prometheus finds them, without readers; default 127.0.0.1:8888.',
        },
        readers: {
          type: 'array',
          items: READER,
          maxItems: 10,
          description: 'Where they go, as in the Collector.',
        },
      },
      ignored: { views: NO_CHOICE },
    },
    traces: TRACES,
    tap: {
      type: 'object',
      default: {},
      description: 'Who may look on with `tocsin tap`: the user of the collector, over a unix socket.',
      properties: {
        enabled: { type: 'boolean', default: true, description: 'false: nobody.' },
        socket: {
          type: 'string',
          minLength: 1,
          description:
            'Path of the socket. Default: in $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR or /tmp, named by the process id.',
          examples: ['/run/tocsin/tap.sock'],
        },
      },
    },
    resource: {
      type: 'object',
      properties: {
        attributes: {
          anyOf: [
            {
              type: 'array',
              items: {
                type: 'object',
                required: ['name'],
                properties: {
                  name: { type: 'string', minLength: 1, description: 'Of the attribute.' },
                  value: ATTRIBUTE,
                  type: { type: 'string', description: 'Of the value; it says it itself.' },
                },
              },
            },
            { type: 'object', additionalProperties: ATTRIBUTE },
          ],
          description: 'The same as a list of name and value.',
        },
      },
      additionalProperties: ATTRIBUTE,
      ignored: {
        schema_url: 'our metrics carry none',
        attributes_list: 'write attributes',
        detectors: 'nothing is detected: write the attributes',
        'detection/development': 'nothing is detected: write the attributes',
      },
      default: {},
      description:
        "Attributes of the collector's own metrics (on target_info) and traces; null drops one. Read at start.",
    },
  },
  ignored: { propagators: 'no context comes with log records' },
}
