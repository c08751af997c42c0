import { defineExtension } from 'tocsin/component'
import { BasicAuth } from './basic-auth.js'
import { type BasicAuthConfig, checkConfig, schema } from './config.js'

export const basicAuthExtension = defineExtension<BasicAuthConfig>({
  api: 1,
  type: 'basicauth',
  stability: 'beta',
  description: 'Authentication by user and password, for receivers and exporters.',
  schema,
  check: checkConfig,
  create: context => new BasicAuth(context),
})
