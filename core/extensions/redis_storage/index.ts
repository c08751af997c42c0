import { defineExtension } from 'tocsin/component'
import { check, type RedisStorageConfig, schema } from './config.js'
import { RedisStorage } from './redis-storage.js'

export const redisStorageExtension = defineExtension<RedisStorageConfig>({
  api: 1,
  type: 'redis_storage',
  stability: 'beta',
  description:
    'State and checkpoints in Redis, shared by several collectors: one server, Sentinel or Cluster.',
  schema,
  check,
  create: context => new RedisStorage(context),
})
