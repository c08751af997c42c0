import { components as all } from '../full/components.js'

const NAMES = [
  'receiver/victorialogs',
  'processor/filter',
  'processor/parser',
  'processor/template',
  'processor/throttle',
  'processor/transform',
  'exporter/debug',
  'exporter/email',
  'exporter/mattermost',
  'exporter/telegram',
  'exporter/webhook',
  'extension/file_storage',
  'extension/health_check',
  'extension/redis_storage',
  'extension/valerter_metrics',
]

/** What a Valerter configuration becomes, and what an overlay over it may add. */
export const components = all.filter(({ kind, type }) => NAMES.includes(`${kind}/${type}`))
