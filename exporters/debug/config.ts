import type { ConfigSchema } from 'tocsin/component'

export interface DebugConfig {
  readonly verbosity: 'basic' | 'normal' | 'detailed'
  readonly time_zone: string
}

export const debugSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    verbosity: {
      enum: ['basic', 'normal', 'detailed'],
      default: 'normal',
      description:
        'basic: one line a batch; normal: what to tell people; detailed: every field of the record.',
    },
    time_zone: {
      type: 'string',
      format: 'time-zone',
      default: 'UTC',
      description: 'Of the times that are shown.',
    },
  },
  ignored: {
    sampling_initial: 'every record is shown',
    sampling_thereafter: 'every record is shown',
    use_internal_logger: 'records go to standard output as they are',
    output_paths: 'records go to standard output',
  },
  synonyms: { level: 'verbosity', timezone: 'time_zone' },
}
