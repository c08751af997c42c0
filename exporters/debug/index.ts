import { defineExporter } from 'tocsin/component'
import { type DebugConfig, debugSchema } from './config.js'
import { createDebug } from './debug.js'

export const debugExporter = defineExporter<DebugConfig>({
  api: 1,
  type: 'debug',
  stability: 'beta',
  description: 'Prints records readably to the standard output.',
  local: true,
  schema: debugSchema,
  create: createDebug,
})
