import type { ConfigSchema } from '../component/index.js'
import { TELEMETRY_SCHEMA } from './telemetry-schema.js'

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
    telemetry: TELEMETRY_SCHEMA,
  },
  synonyms: {
    pipeline: 'pipelines',
    drain_timeout: 'shutdown_timeout',
    metrics: 'telemetry',
    logs: 'telemetry',
  },
}
