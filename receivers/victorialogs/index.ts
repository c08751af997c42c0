import { defineReceiver } from 'tocsin/component'
import { check, schema, type VictoriaLogsConfig } from './config.js'
import { pastReader } from './past.js'
import { VictoriaLogsReceiver } from './victorialogs.js'

export const victorialogsReceiver = defineReceiver<VictoriaLogsConfig>({
  api: 1,
  type: 'victorialogs',
  stability: 'beta',
  exclusive: true,
  description: 'Tails a LogsQL query of VictoriaLogs and fills the gaps that the tail leaves.',
  schema,
  check,
  past: pastReader,
  create: context => new VictoriaLogsReceiver(context),
})
