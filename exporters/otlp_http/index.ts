import { defineExporter } from 'tocsin/component'
import { checkConfig, type OtlpHttpConfig, schema } from './config.js'
import { OtlpHttpExporter } from './otlp-http.js'

export const otlpHttpExporter = defineExporter<OtlpHttpConfig>({
  api: 1,
  type: 'otlp_http',
  aliases: ['otlphttp'],
  stability: 'beta',
  description: 'Sends records over OTLP/HTTP, as protobuf or JSON.',
  schema,
  check: checkConfig,
  create: context => new OtlpHttpExporter(context),
})
