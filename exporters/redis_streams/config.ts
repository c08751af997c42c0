import type { ConfigSchema } from 'tocsin/component'
import { engineSchema, type TemplateEngine } from 'tocsin/template'
import { streamProperties } from '#state'

export interface RedisStreamsConfig {
  readonly redis: string
  readonly stream: string
  readonly partitions: number
  readonly engine?: TemplateEngine
  readonly key?: string
  readonly max_entries: number
}

export const redisStreamsSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['redis'],
  properties: {
    ...streamProperties,
    engine: engineSchema,
    key: {
      type: 'string',
      format: 'template',
      description:
        'Template of the key: records of a key stay in order and reach one collector. Without it any collector takes any request.',
      examples: ['{{host}}'],
    },
    max_entries: {
      type: 'integer',
      minimum: 1,
      default: 10_000,
      description:
        'How many entries (of one request or less each) a partition holds before the exporter waits.',
    },
  },
  synonyms: {
    hash_key: 'key',
    partition_key: 'key',
    storage: 'redis',
    topic: 'stream',
    max_len: 'max_entries',
    maxlen: 'max_entries',
  },
}
