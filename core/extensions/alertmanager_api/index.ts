import { defineExtension } from 'tocsin/component'
import { AlertmanagerApi } from './alertmanager-api.js'
import { type AlertmanagerApiConfig, schema } from './config.js'

export const alertmanagerApiExtension = defineExtension<AlertmanagerApiConfig>({
  api: 1,
  type: 'alertmanager_api',
  stability: 'alpha',
  description: "Alertmanager's API v2 over an alert history: for amtool, Grafana and Karma.",
  schema,
  create: context => new AlertmanagerApi(context),
})
