import { defineExporter } from 'tocsin/component'
import { type RedisStreamsConfig, redisStreamsSchema } from './config.js'
import { RedisStreamsExporter } from './redis-streams.js'

export const redisStreamsExporter = defineExporter<RedisStreamsConfig>({
  api: 1,
  type: 'redis_streams',
  stability: 'alpha',
  description: 'Shares records out to other collectors over Redis streams, each key in its order.',
  ordered: true,
  schema: redisStreamsSchema,
  create: context => new RedisStreamsExporter(context),
})
