import type { CheckProblem, ConfigSchema } from 'tocsin/component'

export interface BearerTokenConfig {
  readonly scheme: string
  readonly header: string
  readonly token?: string
  readonly tokens?: readonly string[]
  readonly filename?: string
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    scheme: {
      type: 'string',
      default: 'Bearer',
      description: 'The word before the token; empty for none.',
      examples: ['Bearer', 'Token'],
    },
    header: {
      type: 'string',
      default: 'Authorization',
      description: 'The header that carries the token.',
      examples: ['X-API-Key'],
    },
    token: { type: 'string', secret: true, minLength: 1, description: 'The token.' },
    tokens: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', secret: true, minLength: 1 },
      description: 'Tokens that a receiver takes; an exporter sends the first.',
    },
    filename: {
      type: 'string',
      description: 'A file with the tokens, one a line, read again when it changes.',
      examples: ['/etc/tocsin/token'],
    },
  },
  synonyms: { file: 'filename', bearer_token: 'token' },
}

export function checkConfig(config: BearerTokenConfig): CheckProblem[] {
  const problems: CheckProblem[] = []
  const given = (['token', 'tokens', 'filename'] as const).filter(key => config[key] !== undefined)
  if (given.length === 0) {
    const fix = 'add token, tokens or filename'
    problems.push({ path: [], message: 'there is no token', fix })
  }
  for (const key of given.slice(1)) {
    const message = `${given[0]} and ${key} are both set`
    problems.push({ path: [key], message, fix: 'keep one of them' })
  }
  if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(config.header)) {
    const message = `"${config.header}" is no name of an HTTP header`
    problems.push({ path: ['header'], message })
  }
  return problems
}
