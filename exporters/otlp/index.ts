import { defineExporter } from 'tocsin/component'
import { checkConfig, type OtlpExporterConfig, schema } from './config.js'
import { OtlpExporter } from './otlp.js'

export const otlpExporter = defineExporter<OtlpExporterConfig>({
  type: 'otlp',
  aliases: ['otlp_grpc'],
  stability: 'beta',
  description: 'Sends records over OTLP/gRPC.',
  schema,
  check: checkConfig,
  create: (_, context) => new OtlpExporter(context),
})
