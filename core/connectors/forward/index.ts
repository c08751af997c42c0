import { defineConnector } from 'tocsin/component'
import { type ForwardConfig, schema } from './config.js'
import { forward } from './forward.js'

export const forwardConnector = defineConnector<ForwardConfig>({
  api: 1,
  type: 'forward',
  stability: 'beta',
  description: 'Hands the records of some pipelines on to others, unchanged.',
  schema,
  makes: () => [],
  create: forward,
})
