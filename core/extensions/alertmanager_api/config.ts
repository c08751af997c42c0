import type { ConfigSchema } from 'tocsin/component'
import { type AuthConfig, authSchema } from 'tocsin/http'

export interface AlertmanagerApiConfig {
  readonly endpoint: string
  readonly history: string
  readonly allow_changes: boolean
  readonly external_url?: string
  readonly auth?: AuthConfig
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    endpoint: {
      type: 'string',
      format: 'endpoint',
      default: 'localhost:9093',
      description: 'Where to listen, host:port; the API is at /api/v2.',
    },
    history: {
      type: 'string',
      component: 'extension',
      default: 'alert_history',
      description: 'Id of the alert_history extension that it shows.',
    },
    allow_changes: {
      type: 'boolean',
      default: false,
      description: 'Whether silences may be made, changed and expired.',
    },
    external_url: {
      type: 'string',
      format: 'http-url',
      description: 'Where people see an alert: the address of the dashboard; generatorURL of alerts.',
    },
    auth: authSchema('Who may ask. Without it everybody who can reach the endpoint.'),
  },
}
