import type { AnyFactory } from 'tocsin/component'
import { components as all } from '../full/components.js'

/** What alerting on a lookup table needs: ways in, the alert and what prepares records for it, ways out, storage. */
const TYPES: ReadonlySet<string> = new Set([
  ...['receiver/otlp', 'receiver/file_log', 'receiver/stdin', 'receiver/demo_logs'],
  ...['processor/batch', 'processor/filter', 'processor/parser', 'processor/transform'],
  ...['processor/stateful_alert', 'processor/template'],
  ...['exporter/debug', 'exporter/file', 'exporter/webhook', 'exporter/mattermost', 'exporter/email'],
  ...['exporter/otlp_grpc', 'exporter/otlp_http', 'connector/forward'],
  ...['extension/file_storage', 'extension/redis_storage', 'extension/health_check'],
])

export const components: readonly AnyFactory[] = all.filter(({ kind, type }) => TYPES.has(`${kind}/${type}`))
