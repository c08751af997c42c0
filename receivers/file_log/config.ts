import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import { type AddedFields, addedFieldsProperties } from 'tocsin/lines'
import { encodingOf } from './encoding.js'
import { operatorProblems } from './operators.js'

export interface FileLogConfig extends AddedFields {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly start_at: 'end' | 'beginning'
  readonly stop_at_end: boolean
  readonly poll_interval: string | number
  readonly encoding: string
  readonly container?: { readonly add_metadata_from_filepath: boolean }
  readonly multiline?: { readonly line_start_pattern?: string; readonly line_end_pattern?: string }
  readonly force_flush_period: string | number
  readonly max_log_size: string | number
  readonly max_concurrent_files: number
  readonly include_file_name: boolean
  readonly include_file_path: boolean
  readonly storage?: string
  readonly operators?: readonly unknown[]
}

export const schema: ConfigSchema = {
  type: 'object',
  required: ['include'],
  additionalProperties: false,
  synonyms: {
    path: 'include',
    paths: 'include',
    file: 'include',
    files: 'include',
    start: 'start_at',
    read_from: 'start_at',
    charset: 'encoding',
    max_line_size: 'max_log_size',
    checkpoint: 'storage',
  },
  ignored: {
    retry_on_failure: 'what a pipeline cannot take is offered again until it is taken',
    fingerprint_size: 'a file is recognised by its first 1,000 bytes and its inode',
    exclude_older_than: 'old files are read too: name what you want in include',
    ordering_criteria: 'every file that include finds is read',
    compression: "compressed files are not unpacked: leave them out, as in exclude: ['*.gz']",
    header: 'a header is read as a line like any other',
    delete_after_read: 'files are never deleted',
    max_batches: 'how many files are open is bounded by max_concurrent_files',
    acquire_fs_lock: 'files are read without a lock',
    polls_to_archive: 'a rotated file is followed for as long as it is there',
    preserve_leading_whitespaces: 'lines keep their blanks',
    preserve_trailing_whitespaces: 'lines keep their blanks',
    include_file_name_resolved: 'links are shown by their own name',
    include_file_path_resolved: 'links are shown by their own path',
    include_file_owner_name: 'owners are not looked up',
    include_file_owner_group_name: 'owners are not looked up',
    include_file_permissions: 'permissions are not looked up',
    include_file_record_number:
      'records carry no number; log.file.name and log.file.path say where they are from',
    include_file_record_offset:
      'records carry no offset; log.file.name and log.file.path say where they are from',
    initial_buffer_size: 'buffers grow as they need',
    on_truncate: 'a file that was cut is read from its beginning',
    id: 'what follows the slash of the component is its id',
  },
  properties: {
    include: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1 },
      description:
        'Files to read, as glob patterns; relative ones start from the folder of the configuration.',
      examples: [['/var/log/app/*.log']],
    },
    exclude: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Files to leave out of what `include` finds, as glob patterns.',
    },
    start_at: {
      enum: ['end', 'beginning'],
      default: 'end',
      description: 'Where to start in files that are there at the first start and have no checkpoint.',
    },
    stop_at_end: {
      type: 'boolean',
      default: false,
      description: 'Read every file to its end, with a last line that has no line end, then end this input.',
    },
    poll_interval: {
      type: 'string',
      format: 'duration',
      default: '200ms',
      description: 'How often to look for new files and new lines.',
    },
    encoding: {
      type: 'string',
      default: 'utf-8',
      description:
        'utf-8, utf-16le, utf-16be, or an encoding in which a line feed is one byte, such as latin1.',
    },
    multiline: {
      type: 'object',
      additionalProperties: false,
      description: 'Joins lines to one record. Give one of the two patterns (RE2).',
      properties: {
        line_start_pattern: { type: 'string', format: 'regex', description: 'A line that begins a record.' },
        line_end_pattern: { type: 'string', format: 'regex', description: 'A line that ends a record.' },
      },
    },
    container: {
      type: 'object',
      additionalProperties: false,
      ignored: {
        format: 'each line says whether it is of the CRI (containerd, CRI-O) or of Docker',
        max_log_size: 'max_log_size of the receiver bounds a record',
      },
      description:
        'Reads what container runtimes write: time, stream and text of a line. Lines that the runtime has cut are joined.',
      properties: {
        add_metadata_from_filepath: {
          type: 'boolean',
          default: true,
          description: 'Takes resource attributes (`k8s.pod.name` and others) from the path.',
        },
      },
    },
    force_flush_period: {
      type: 'string',
      format: 'duration',
      default: '500ms',
      description:
        'A multi-line record at the end of a file is taken as complete when nothing came for so long.',
    },
    max_log_size: {
      type: ['string', 'integer'],
      format: 'byte-size',
      default: '1MiB',
      description: 'A longer record is split into records of at most this size.',
    },
    max_concurrent_files: {
      type: 'integer',
      minimum: 2,
      default: 1024,
      description: 'How many files to keep open. More are read too: the least used are closed in between.',
    },
    include_file_name: {
      type: 'boolean',
      default: true,
      description: 'Adds the attribute `log.file.name`.',
    },
    include_file_path: {
      type: 'boolean',
      default: false,
      description: 'Adds the attribute `log.file.path`.',
    },
    ...addedFieldsProperties,
    operators: {
      type: 'array',
      items: {},
      description: 'Not here: processors do this. What they say instead is shown, with the lines to paste.',
    },
    storage: {
      type: 'string',
      component: 'extension',
      description: 'Where checkpoints live, so that a restart goes on where it stopped.',
    },
  },
}

export function checkConfig(config: FileLogConfig): CheckProblem[] {
  const problems: CheckProblem[] = [...operatorProblems(config.operators ?? [])]
  if (!encodingOf(config.encoding)) {
    problems.push({
      path: ['encoding'],
      message: `"${config.encoding}" is no encoding that file_log reads`,
      fix: 'use utf-8, utf-16le, utf-16be, latin1, windows-1252, gb18030, shift_jis or another WHATWG name',
    })
  }
  if (config.container && encodingOf(config.encoding)?.isUtf8 === false) {
    problems.push({
      path: ['encoding'],
      message: `"${config.encoding}" does not go with container`,
      fix: 'leave encoding out: container runtimes write UTF-8',
    })
  }
  const { line_start_pattern: start, line_end_pattern: end } = config.multiline ?? {}
  if (config.multiline && (start === undefined) === (end === undefined)) {
    problems.push({
      path: ['multiline'],
      message: start === undefined ? 'has no pattern' : 'has two patterns',
      fix: 'give either line_start_pattern or line_end_pattern',
    })
  }
  return problems
}
