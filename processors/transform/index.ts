import { defineProcessor } from 'tocsin/component'
import { check, madeBy, schema, type TransformConfig } from './config.js'
import { createTransform } from './transform.js'

export const transformProcessor = defineProcessor<TransformConfig>({
  api: 1,
  type: 'transform',
  stability: 'beta',
  description: 'Changes log records by OTTL statements.',
  schema,
  check,
  makes: madeBy,
  create: createTransform,
})
