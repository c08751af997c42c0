import { defineReceiver } from 'tocsin/component'
import { checkConfig, type OtlpConfig, schema } from './config.js'
import { OtlpReceiver } from './otlp.js'

export const otlpReceiver = defineReceiver<OtlpConfig>({
  api: 1,
  type: 'otlp',
  stability: 'beta',
  description: 'Takes log records over OTLP: gRPC, and HTTP with protobuf or JSON.',
  schema,
  check: checkConfig,
  create: context => new OtlpReceiver(context),
})
