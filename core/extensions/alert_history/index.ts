import { defineExtension } from 'tocsin/component'
import { StoredAlertHistory } from './alert-history.js'
import { type AlertHistoryConfig, schema } from './config.js'

export const alertHistoryExtension = defineExtension<AlertHistoryConfig>({
  api: 1,
  type: 'alert_history',
  stability: 'alpha',
  description: 'Keeps what happened: alerts, recoveries, notifications and their delivery, silences.',
  schema,
  create: context => new StoredAlertHistory(context),
})
