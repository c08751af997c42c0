import type { ConfigSchema } from 'tocsin/component'

export interface RedisStreamsConfig {
  readonly redis: string
  readonly stream: string
  readonly partitions: number
}

export const redisStreamsSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['redis'],
  properties: {
    redis: {
      type: 'string',
      component: 'extension',
      description: 'The redis_storage extension whose connection and prefix are used.',
      examples: ['redis_storage'],
    },
    stream: {
      type: 'string',
      minLength: 1,
      default: 'logs',
      description: 'The name that exporters and receivers of the stream have in common.',
    },
    partitions: {
      type: 'integer',
      minimum: 1,
      maximum: 256,
      default: 16,
      description: 'As in the exporters of the stream.',
    },
  },
  synonyms: { storage: 'redis', topic: 'stream' },
}
