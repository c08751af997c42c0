import { defineExtension } from 'tocsin/component'
import { BasicAuth } from './basic-auth.js'
import { type BasicAuthConfig, checkConfig, schema } from './config.js'

export const basicAuthExtension = defineExtension<BasicAuthConfig>({
  type: 'basicauth',
  stability: 'beta',
  description: 'Authentication by user and password, for receivers and exporters.',
  schema,
  check: checkConfig,
  create: (_, context) => new BasicAuth(context),
})
