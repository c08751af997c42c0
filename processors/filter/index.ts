import { defineProcessor } from 'tocsin/component'
import { check, type FilterConfig, schema } from './config.js'
import { createFilter } from './filter.js'

export const filterProcessor = defineProcessor<FilterConfig>({
  api: 1,
  type: 'filter',
  stability: 'beta',
  description: 'Drops the log records that an OTTL condition matches.',
  schema,
  check,
  makes: () => [],
  create: createFilter,
})
