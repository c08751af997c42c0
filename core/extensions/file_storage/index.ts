import { defineExtension } from 'tocsin/component'
import { type FileStorageConfig, schema } from './config.js'
import { FileStorage } from './file-storage.js'

export const fileStorageExtension = defineExtension<FileStorageConfig>({
  api: 1,
  type: 'file_storage',
  stability: 'beta',
  description:
    'An embedded, crash-safe store in a local folder: checkpoints, state and queues of one collector.',
  schema,
  create: context => new FileStorage(context),
})
