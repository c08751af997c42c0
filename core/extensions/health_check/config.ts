import type { CheckProblem, ConfigSchema } from 'tocsin/component'

export interface HealthCheckConfig {
  readonly endpoint: string
  readonly path: string
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  ignored: {
    response_body: 'the body says what works and what does not',
    tls: 'it answers in plain HTTP: bind it to an address that only the probe reaches',
    auth: 'everybody may ask: bind it to an address that only the probe reaches',
    check_collector_pipeline: 'the status is always that of the pipelines',
    include_metadata: 'requests are not looked at',
  },
  synonyms: { address: 'endpoint', listen: 'endpoint', url: 'endpoint' },
  properties: {
    endpoint: {
      type: 'string',
      format: 'endpoint',
      default: '127.0.0.1:13133',
      description: 'Where to listen, host:port.',
      examples: ['0.0.0.0:13133'],
    },
    path: {
      type: 'string',
      default: '/',
      description: 'Path of the status; /live and /ready are below it.',
      examples: ['/health'],
    },
  },
}

export function checkConfig(config: HealthCheckConfig): CheckProblem[] {
  if (/^\/[\w\-./~]*$/.test(config.path)) return []
  const message = `"${config.path}" is not a path`
  return [{ path: ['path'], message, fix: 'begin with / and use letters, digits, -, _ and .' }]
}
