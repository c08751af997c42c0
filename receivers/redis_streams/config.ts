import type { ConfigSchema } from 'tocsin/component'
import { streamProperties } from '#state'

export interface RedisStreamsConfig {
  readonly redis: string
  readonly stream: string
  readonly partitions: number
}

export const redisStreamsSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['redis'],
  properties: streamProperties,
  synonyms: { storage: 'redis', topic: 'stream' },
}
