import type { ConfigSchema } from 'tocsin/component'

export interface FileStorageConfig {
  readonly directory: string
  readonly timeout: string
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  ignored: {
    create_directory: 'the directory is made where it is missing',
    directory_permissions: 'it is made with mode 0700',
    compaction: 'the file keeps its size and its free pages are used again',
    fsync: 'what is written is synced before it counts',
    recreate: 'a damaged file ends the start with a message that says what to do',
    max_size: 'the file grows as the queues and checkpoints need it',
  },
  synonyms: { path: 'directory', dir: 'directory', folder: 'directory', file: 'directory' },
  properties: {
    directory: {
      type: 'string',
      minLength: 1,
      default: './data',
      description:
        'Where the data are. Made with mode 0700 when it is not there; relative paths start from the folder of the configuration.',
      examples: ['/var/lib/tocsin'],
    },
    timeout: {
      type: 'string',
      format: 'duration',
      default: '1s',
      description: 'How long to wait for another collector to let go of the directory.',
    },
  },
}
