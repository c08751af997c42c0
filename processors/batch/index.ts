import { defineProcessor } from 'tocsin/component'
import { batch } from './batch.js'
import { type BatchConfig, check, schema } from './config.js'

export const batchProcessor = defineProcessor<BatchConfig>({
  api: 1,
  type: 'batch',
  stability: 'beta',
  description: 'Gathers records into larger batches, by size and time.',
  schema,
  check,
  makes: () => [],
  create: batch,
})
