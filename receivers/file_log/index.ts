import { defineReceiver } from 'tocsin/component'
import { checkConfig, type FileLogConfig, schema } from './config.js'
import { FileLogReceiver } from './file-log.js'
import { pastReader } from './past.js'

export const fileLogReceiver = defineReceiver<FileLogConfig>({
  api: 1,
  type: 'file_log',
  aliases: ['filelog'],
  stability: 'beta',
  description: 'Reads the lines of files, through rotation, truncation and restarts.',
  schema,
  check: checkConfig,
  makes: ({ attributes, resource, container }) => [
    ...(container ? ['log.iostream', 'k8s', 'container.id'] : []),
    'log.file',
    ...Object.keys(attributes),
    ...Object.keys(resource),
  ],
  past: pastReader,
  create: context => new FileLogReceiver(context),
})
