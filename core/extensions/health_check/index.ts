import { defineExtension } from 'tocsin/component'
import { checkConfig, type HealthCheckConfig, schema } from './config.js'
import { HealthCheck } from './health-check.js'

export const healthCheckExtension = defineExtension<HealthCheckConfig>({
  api: 1,
  type: 'health_check',
  stability: 'beta',
  description: 'Says over HTTP whether the collector lives, is ready, and how each pipeline is.',
  schema,
  check: checkConfig,
  create: context => new HealthCheck(context),
})
