import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type CheckProblem, type ConfigSchema, errorText, type FileProblem } from 'tocsin/component'
import {
  type AuthConfig,
  authSchema,
  checkServerTls,
  type TlsServerConfig,
  tlsServerSchema,
} from 'tocsin/http'
import { codeOf, parseLanguage } from './languages.js'

export interface DashboardConfig {
  readonly endpoint: string
  readonly history: string
  readonly allow_changes: boolean
  readonly auth?: AuthConfig
  readonly tls?: TlsServerConfig
  readonly allowed_hosts: readonly string[]
  readonly languages: readonly string[]
  readonly max_clients: number
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  synonyms: {
    address: 'endpoint',
    listen: 'endpoint',
    url: 'endpoint',
    read_only: 'allow_changes',
    alert_history: 'history',
    hosts: 'allowed_hosts',
  },
  properties: {
    endpoint: {
      type: 'string',
      format: 'endpoint',
      default: '127.0.0.1:13134',
      description: 'Where to listen, host:port. The default is for browsers of this machine only.',
      examples: ['0.0.0.0:13134'],
    },
    history: {
      type: 'string',
      component: 'extension',
      default: 'alert_history',
      description: 'The id of the alert_history extension that it shows.',
    },
    allow_changes: {
      type: 'boolean',
      default: false,
      description:
        'Whether silences can be made, extended and ended, and dead letters sent again, from the page.',
    },
    auth: authSchema('Who may look. Without it everybody who can reach the endpoint.'),
    tls: tlsServerSchema,
    allowed_hosts: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description:
        'Names under which browsers reach it, beside localhost and IP addresses. Looked at where there is no auth.',
      examples: [['tocsin.example.com']],
    },
    languages: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'JSON files of further languages, named by their code, such as fr.json.',
    },
    max_clients: {
      type: 'integer',
      minimum: 1,
      maximum: 150,
      default: 50,
      description: 'Browsers that are kept up to date at the same time.',
    },
  },
}

export function checkConfig({
  tls,
  endpoint,
  allow_changes,
  auth,
  languages,
}: DashboardConfig): CheckProblem[] {
  const problems = checkServerTls(tls, ['tls'])
  if (allow_changes && !auth && !/^(localhost|127\.|\[::1\])/.test(endpoint))
    problems.push({
      severity: 'warning',
      path: ['allow_changes'],
      message: `everybody who can reach ${endpoint} may silence alerts`,
      fix: 'add auth',
    })
  for (const [index, file] of languages.entries())
    if (codeOf(file) === undefined)
      problems.push({
        path: ['languages', index],
        message: `the name of ${file} is no code of a language`,
        fix: 'name it as browsers do, such as fr.json or pt-BR.json',
      })
  return problems
}

export async function checkFiles(
  { languages }: DashboardConfig,
  baseDir: string,
): Promise<readonly FileProblem[]> {
  const found = await Promise.all(
    languages.map(async (file, index) => {
      try {
        parseLanguage(await readFile(resolve(baseDir, file), 'utf8'), file)
        return []
      } catch (error) {
        return [{ path: ['languages', index], message: errorText(error) }]
      }
    }),
  )
  return found.flat()
}
