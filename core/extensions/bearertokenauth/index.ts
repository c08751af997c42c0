import { defineExtension } from 'tocsin/component'
import { BearerToken } from './bearer-token.js'
import { type BearerTokenConfig, checkConfig, schema } from './config.js'

export const bearerTokenAuthExtension = defineExtension<BearerTokenConfig>({
  api: 1,
  type: 'bearertokenauth',
  stability: 'beta',
  description: 'Authentication by a token in a header, for receivers and exporters.',
  schema,
  check: checkConfig,
  create: context => new BearerToken(context),
})
