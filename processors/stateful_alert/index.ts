import { defineProcessor } from 'tocsin/component'
import { check } from './check-config.js'
import { checkTable } from './check-table.js'
import { type StatefulAlertConfig, schema } from './config.js'
import { lint } from './lint.js'
import { ALERT_NAMES } from './output.js'
import { statefulAlert } from './stateful-alert.js'

export const statefulAlertProcessor = defineProcessor<StatefulAlertConfig>({
  api: 1,
  type: 'stateful_alert',
  stability: 'beta',
  description: 'Finds alerts by a table of patterns, and tells new ones from duplicates and recoveries.',
  schema,
  check,
  checkFiles: checkTable,
  lint,
  makes: () => ALERT_NAMES,
  create: statefulAlert,
})
