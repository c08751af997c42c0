import { defineProcessor } from 'tocsin/component'
import { checkThrottle, type ThrottleConfig, throttleSchema } from './config.js'
import { throttle } from './throttle.js'

export const throttleProcessor = defineProcessor<ThrottleConfig>({
  api: 1,
  type: 'throttle',
  stability: 'beta',
  description: 'Passes at most so many records of a key within a window and drops the rest.',
  schema: throttleSchema,
  check: checkThrottle,
  makes: () => [],
  create: throttle,
})
