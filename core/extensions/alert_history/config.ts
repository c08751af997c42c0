import type { ConfigSchema } from 'tocsin/component'

export interface AlertHistoryConfig {
  readonly storage?: string
  readonly collector?: string
  readonly retention: string
  readonly max_entries: number
  readonly max_active: number
  readonly flush_interval: string
  readonly labels: readonly string[]
  readonly processors: readonly string[]
  readonly exporters: readonly string[]
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    storage: {
      type: 'string',
      component: 'extension',
      description:
        'Id of a storage extension: file_storage survives restarts, redis_storage is shared by all collectors. Default: in memory.',
    },
    collector: {
      type: 'string',
      minLength: 1,
      description: 'What entries call this collector. Default: the name of the host.',
    },
    retention: {
      type: 'string',
      format: 'duration',
      default: '7d',
      description:
        'How long what happened is kept. Active alerts stay, until nothing was heard of them for as long.',
    },
    max_entries: {
      type: 'integer',
      minimum: 100,
      maximum: 10_000_000,
      default: 50_000,
      description: 'How many transitions and notifications are kept, together; the oldest go.',
    },
    max_active: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      default: 20_000,
      description: 'How many active alerts are kept; further ones are in figures and transitions alone.',
    },
    flush_interval: {
      type: 'string',
      format: 'duration',
      default: '500ms',
      description: 'How often what happened is written. A crash forgets what came since.',
    },
    labels: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description:
        'Record attributes that become labels of alerts, beside the attributes of the resource: hash_keys that are no resource attributes.',
      examples: [['error_code']],
    },
    processors: {
      type: 'array',
      items: { type: 'string' },
      default: [],
      description:
        'Ids of further processors that write attributes["alert"], beside those of the type stateful_alert.',
    },
    exporters: {
      type: 'array',
      items: { type: 'string' },
      default: [],
      description:
        'Ids of further exporters whose records count as notifications, beside those that notify (webhook, email, ...).',
      examples: [['debug']],
    },
  },
}
