import { defineExporter } from 'tocsin/component'
import { checkFile, type FileConfig, fileSchema } from './config.js'
import { createFile } from './file.js'

export const fileExporter = defineExporter<FileConfig>({
  api: 1,
  type: 'file',
  stability: 'beta',
  description: 'Appends records to a file as OTLP JSON, one request a line.',
  local: true,
  schema: fileSchema,
  check: checkFile,
  create: createFile,
})
