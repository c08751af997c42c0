import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import { parseHtpasswd } from './htpasswd.js'

export interface BasicAuthConfig {
  readonly htpasswd?: { readonly file?: string; readonly inline?: string }
  readonly client_auth?: { readonly username: string; readonly password: string }
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    htpasswd: {
      type: 'object',
      description: 'Who may send to a receiver: lines of user:password, as the htpasswd command writes them.',
      additionalProperties: false,
      properties: {
        file: { type: 'string', description: 'A file of lines, read again when it changes.' },
        inline: { type: 'string', secret: true, description: 'Lines; they win over those of the file.' },
      },
    },
    client_auth: {
      type: 'object',
      description: 'Who an exporter is.',
      additionalProperties: false,
      required: ['username', 'password'],
      properties: {
        username: { type: 'string', minLength: 1, description: 'The user.' },
        password: { type: 'string', secret: true, description: 'The password.' },
      },
    },
  },
}

export function checkConfig({ htpasswd, client_auth: client }: BasicAuthConfig): CheckProblem[] {
  const problems: CheckProblem[] = []
  if (!htpasswd && !client) {
    const fix = 'add htpasswd for receivers, client_auth for exporters'
    problems.push({ path: [], message: 'there are no credentials', fix })
  }
  if (htpasswd && htpasswd.file === undefined && htpasswd.inline === undefined)
    problems.push({ path: ['htpasswd'], message: 'there are no users', fix: 'add file or inline' })
  for (const { line, message } of parseHtpasswd(htpasswd?.inline ?? '').faults)
    problems.push({ path: ['htpasswd', 'inline'], message: `line ${line}: ${message}` })
  if (client?.username.includes(':'))
    problems.push({ path: ['client_auth', 'username'], message: 'a user name cannot have a colon' })
  return problems
}
