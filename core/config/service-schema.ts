import type { ConfigSchema } from '../component/index.js'

const ids = (what: string): ConfigSchema => ({
  type: 'array',
  items: { type: 'string', minLength: 1 },
  description: what,
})

const PIPELINE: ConfigSchema = {
  type: 'object',
  properties: {
    receivers: ids('Where records come from; connectors too.'),
    processors: ids('What changes them, in this order.'),
    exporters: ids('Where records go; connectors too.'),
  },
}

const PROMETHEUS: ConfigSchema = {
  type: 'object',
  properties: {
    host: { type: 'string', default: 'localhost' },
    port: { type: 'integer', minimum: 0, maximum: 65_535, examples: [8888] },
  },
  required: ['port'],
}

const READER: ConfigSchema = {
  type: 'object',
  required: ['pull'],
  properties: {
    pull: {
      type: 'object',
      required: ['exporter'],
      properties: {
        exporter: { type: 'object', required: ['prometheus'], properties: { prometheus: PROMETHEUS } },
      },
    },
  },
}

/** The `service` section. */
export const SERVICE_SCHEMA: ConfigSchema = {
  type: 'object',
  properties: {
    extensions: ids('The extensions to start, in this order.'),
    pipelines: { type: 'object', additionalProperties: PIPELINE, description: 'By id: logs or logs/name.' },
    shutdown_timeout: {
      type: 'string',
      format: 'duration',
      default: '20s',
      description: 'How long a stop may take to deliver or store what is under way.',
    },
    telemetry: {
      type: 'object',
      default: {},
      description: "The collector's own logs and metrics.",
      properties: {
        logs: {
          type: 'object',
          default: {},
          properties: {
            level: { enum: ['debug', 'info', 'warn', 'error'], default: 'info' },
            encoding: {
              enum: ['console', 'json'],
              description: 'Default: console on a terminal, else json.',
            },
          },
        },
        metrics: {
          type: 'object',
          default: {},
          properties: {
            level: { enum: ['none', 'basic', 'normal', 'detailed'], default: 'normal' },
            address: { type: 'string', format: 'endpoint', examples: ['127.0.0.1:8888'] },
            readers: { type: 'array', items: READER, maxItems: 1 },
          },
        },
        resource: {
          type: 'object',
          additionalProperties: { type: 'string' },
          default: {},
          description: "Attributes of the collector's own metrics, on target_info; read at start.",
        },
      },
    },
  },
  synonyms: {
    pipeline: 'pipelines',
    drain_timeout: 'shutdown_timeout',
    metrics: 'telemetry',
    logs: 'telemetry',
  },
}
