import { components as all } from '../full/components.js'

const NAMES = [
  'receiver/demo_logs',
  'receiver/file_log',
  'receiver/otlp',
  'receiver/stdin',
  'processor/batch',
  'processor/filter',
  'processor/memory_limiter',
  'processor/parser',
  'processor/stateful_alert',
  'processor/template',
  'processor/transform',
  'exporter/debug',
  'exporter/email',
  'exporter/file',
  'exporter/mattermost',
  'exporter/otlp',
  'exporter/otlp_http',
  'exporter/webhook',
  'connector/forward',
  'extension/alert_history',
  'extension/alertmanager_api',
  'extension/basicauth',
  'extension/bearertokenauth',
  'extension/dashboard',
  'extension/file_storage',
  'extension/health_check',
  'extension/redis_storage',
]

/** What alerting on a lookup table needs: ways in, the alert and what prepares records for it, ways out, storage. */
export const components = all.filter(({ kind, type }) => NAMES.includes(`${kind}/${type}`))
