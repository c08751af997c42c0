import { defineExporter } from 'tocsin/component'
import { checkConfig, type OtlpExporterConfig, schema } from './config.js'
import { OtlpExporter } from './otlp.js'

export const otlpExporter = defineExporter<OtlpExporterConfig>({
  api: 1,
  type: 'otlp',
  aliases: ['otlp_grpc'],
  stability: 'beta',
  description: 'Sends records over OTLP/gRPC.',
  schema,
  check: checkConfig,
  create: context => new OtlpExporter(context),
})
