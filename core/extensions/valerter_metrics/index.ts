import { defineExtension } from 'tocsin/component'
import { schema, type ValerterMetricsConfig } from './config.js'
import { ValerterMetrics } from './valerter-metrics.js'

export const valerterMetricsExtension = defineExtension<ValerterMetricsConfig>({
  api: 1,
  type: 'valerter_metrics',
  stability: 'beta',
  description: "Serves metrics under Valerter's names and labels, beside our own.",
  schema,
  create: context => new ValerterMetrics(context),
})
