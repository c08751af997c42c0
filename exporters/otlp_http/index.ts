import { defineExporter } from 'tocsin/component'
import { checkConfig, type OtlpHttpConfig, schema } from './config.js'
import { OtlpHttpExporter } from './otlp-http.js'

export const otlpHttpExporter = defineExporter<OtlpHttpConfig>({
  type: 'otlp_http',
  aliases: ['otlphttp'],
  stability: 'beta',
  description: 'Sends records over OTLP/HTTP, as protobuf or JSON.',
  schema,
  check: checkConfig,
  create: (_, context) => new OtlpHttpExporter(context),
})
