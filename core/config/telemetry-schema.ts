import type { ConfigSchema } from '../component/index.js'
import { OTLP } from './otlp-export-schema.js'
import { TRACES } from './traces-schema.js'

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
