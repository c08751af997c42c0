import { defineProcessor } from 'tocsin/component'
import { checkMemoryLimiter, type MemoryLimiterConfig, memoryLimiterSchema } from './config.js'
import { createMemoryLimiter } from './memory-limiter.js'

export const memoryLimiterProcessor = defineProcessor<MemoryLimiterConfig>({
  api: 1,
  type: 'memory_limiter',
  stability: 'beta',
  description: 'Refuses input, with an answer to try again, before the memory runs out.',
  schema: memoryLimiterSchema,
  check: checkMemoryLimiter,
  makes: () => [],
  create: createMemoryLimiter,
})
