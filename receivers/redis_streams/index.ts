import { defineReceiver } from 'tocsin/component'
import { type RedisStreamsConfig, redisStreamsSchema } from './config.js'
import { RedisStreamsReceiver } from './redis-streams.js'

export const redisStreamsReceiver = defineReceiver<RedisStreamsConfig>({
  api: 1,
  type: 'redis_streams',
  stability: 'alpha',
  description: 'Shares the records of Redis streams with other collectors, each key in its order.',
  schema: redisStreamsSchema,
  create: context => new RedisStreamsReceiver(context),
})
