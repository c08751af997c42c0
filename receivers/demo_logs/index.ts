import { defineReceiver } from 'tocsin/component'
import { checkConfig, type DemoLogsConfig, schema } from './config.js'
import { DemoLogsReceiver } from './demo-logs.js'

export const demoLogsReceiver = defineReceiver<DemoLogsConfig>({
  api: 1,
  type: 'demo_logs',
  stability: 'beta',
  description: 'Makes up the logs of a small web shop, with an outage and a recovery every so often.',
  schema,
  check: checkConfig,
  create: context => new DemoLogsReceiver(context),
})
