import type { CheckProblem, ConfigSchema } from 'tocsin/component'

export interface FileConfig {
  readonly path: string
  readonly rotation?: {
    readonly max_megabytes: number
    readonly max_backups: number
  }
}

export const fileSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['path'],
  properties: {
    path: {
      type: 'string',
      minLength: 1,
      description: 'The file, from the folder of the configuration. It and its folder are created.',
      examples: ['/var/log/tocsin/alerts.jsonl'],
    },
    rotation: {
      type: 'object',
      additionalProperties: false,
      description: 'Starts a new file when this one is full; without it the file grows without end.',
      properties: {
        max_megabytes: {
          type: 'number',
          exclusiveMinimum: 0,
          default: 100,
          description: 'Renames the file before it gets larger than this.',
        },
        max_backups: {
          type: 'integer',
          minimum: 1,
          default: 100,
          description: 'How many renamed files stay; the oldest are removed.',
        },
      },
      ignored: {
        max_days: 'max_backups says how many files stay',
        localtime: 'renamed files carry the time in UTC',
      },
    },
  },
  ignored: {
    flush_interval: 'every request is written at once',
    compression: 'the file holds plain lines',
    format: 'the lines are OTLP/JSON',
    encoding: 'the lines are OTLP/JSON',
    append: 'the file is always appended to',
    create_directory: 'the folder is made where it is missing',
    directory_permissions: 'the folder is made where it is missing, as the umask says',
    group_by: 'there is one file; two exporters with a condition make two',
  },
  synonyms: { file: 'path', filename: 'path', rotate: 'rotation' },
}

export function checkFile({ path }: FileConfig): CheckProblem[] {
  if (!/[\\/]$/.test(path)) return []
  return [{ path: ['path'], message: `"${path}" is a folder`, fix: 'add the name of a file' }]
}
