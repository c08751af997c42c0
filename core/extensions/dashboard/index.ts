import { defineExtension } from 'tocsin/component'
import { checkConfig, checkFiles, type DashboardConfig, schema } from './config.js'
import { Dashboard } from './dashboard.js'

export const dashboardExtension = defineExtension<DashboardConfig>({
  api: 1,
  type: 'dashboard',
  stability: 'beta',
  description: 'A live web page of alerts, notifications, silences and pipelines.',
  schema,
  check: checkConfig,
  checkFiles,
  create: context => new Dashboard(context),
})
