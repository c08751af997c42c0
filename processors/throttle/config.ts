import { type CheckProblem, type ConfigSchema, parseDuration } from 'tocsin/component'
import { engineSchema, type TemplateEngine } from 'tocsin/template'

export interface ThrottleConfig {
  readonly engine?: TemplateEngine
  readonly key?: string
  readonly count: number
  readonly window: string
  readonly mode: 'sliding' | 'fixed'
  readonly max_keys: number
  readonly time_source: 'event' | 'observed'
  readonly storage?: string
}

export const throttleSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['count', 'window'],
  properties: {
    engine: engineSchema,
    key: {
      type: 'string',
      format: 'template',
      description: 'Template of the key that records are counted by. Without it all records share one key.',
      examples: ['{{ip}}'],
    },
    count: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      description: 'How many records of a key pass within the window.',
      examples: [5],
    },
    window: {
      type: 'string',
      format: 'duration',
      description: 'How long a passed record counts. Greater than zero.',
      examples: ['5m'],
    },
    mode: {
      enum: ['sliding', 'fixed'],
      default: 'sliding',
      description:
        'sliding: any stretch of the window holds at most count records. fixed: a window starts with a record.',
    },
    max_keys: {
      type: 'integer',
      minimum: 1,
      default: 10_000,
      description: 'Beyond this many keys the least recently used are forgotten.',
    },
    time_source: {
      enum: ['event', 'observed'],
      default: 'event',
      description: 'The time that windows run on: of the record, or of its arrival.',
    },
    storage: {
      type: 'string',
      component: 'extension',
      description: 'Storage extension for the counts. Without it they live in memory.',
    },
  },
  synonyms: {
    limit: 'count',
    max: 'count',
    period: 'window',
    interval: 'window',
    group_by: 'key',
    by: 'key',
  },
}

export function checkThrottle(config: ThrottleConfig): readonly CheckProblem[] {
  return parseDuration(config.window) === 0
    ? [{ path: ['window'], message: 'the window is zero', fix: 'write 30s, 5m or 1h' }]
    : []
}
