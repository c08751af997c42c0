import type { ConfigSchema } from 'tocsin/component'

export interface ValerterMetricsConfig {
  readonly endpoint: string
  readonly labels: '1.x' | '2.x'
  readonly names?: { readonly [id: string]: string }
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    endpoint: {
      type: 'string',
      format: 'endpoint',
      default: '0.0.0.0:9090',
      description: 'Where to listen, host:port; the metrics are at /metrics.',
    },
    labels: {
      enum: ['1.x', '2.x'],
      default: '2.x',
      description: 'The labels of which version of Valerter: 2.x adds vl_source.',
    },
    names: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'What Valerter calls a pipeline or an exporter, where it is not the name in its id.',
      examples: [{ 'logs/High_CPU': 'High CPU' }],
    },
  },
}
