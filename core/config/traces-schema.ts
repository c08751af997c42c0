import type { ConfigSchema } from '../component/index.js'
import { OTLP } from './otlp-export-schema.js'

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

/** `service.telemetry.traces`. */
export const TRACES: ConfigSchema = {
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
