import { defineProcessor } from 'tocsin/component'
import { check, madeBy, type ParserConfig, schema } from './config.js'
import { parser } from './parser.js'

export const parserProcessor = defineProcessor<ParserConfig>({
  api: 1,
  type: 'parser',
  stability: 'beta',
  description:
    'Makes attributes of what a regular expression or JSON finds, and takes the event time from them.',
  schema,
  check,
  makes: madeBy,
  create: parser,
})
