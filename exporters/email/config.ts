import addressparser from 'nodemailer/lib/addressparser'
import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import { checkTls, type TlsClientConfig, tlsSchema } from 'tocsin/http'
import { engineSchema, type TemplateEngine } from 'tocsin/template'

export interface EmailConfig {
  readonly smtp: SmtpConfig
  readonly from: string
  readonly to: readonly string[]
  readonly engine?: TemplateEngine
  readonly subject_template?: string
  readonly body_template?: string
  readonly body_template_file?: string
  readonly time_zone: string
}

export interface SmtpConfig {
  readonly host: string
  readonly port?: number
  readonly username?: string
  readonly password?: string
  readonly security: 'starttls' | 'tls' | 'none'
  readonly tls?: TlsClientConfig
}

export const emailSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['smtp', 'from', 'to'],
  properties: {
    smtp: {
      type: 'object',
      description: 'The mail server that takes our mails.',
      additionalProperties: false,
      required: ['host'],
      properties: {
        host: { type: 'string', minLength: 1, description: 'Its name.', examples: ['smtp.example.com'] },
        port: {
          type: 'integer',
          minimum: 1,
          maximum: 65_535,
          description: '587 when not set; 465 for security: tls, 25 for security: none.',
        },
        username: { type: 'string', minLength: 1, description: 'Signs in with this name.' },
        password: {
          type: 'string',
          secret: true,
          minLength: 1,
          description: 'The password to it.',
          examples: ['${env:SMTP_PASSWORD}'],
        },
        security: {
          enum: ['starttls', 'tls', 'none'],
          default: 'starttls',
          description:
            'starttls: encrypts after the greeting, or does not send. tls: encrypts from the start. none: sends in plain text.',
        },
        tls: tlsSchema,
      },
      synonyms: {
        user: 'username',
        pass: 'password',
        server: 'host',
        encryption: 'security',
        tls_verify: 'tls',
        secure: 'security',
        starttls: 'security',
      },
    },
    from: {
      type: 'string',
      minLength: 1,
      description: 'The sender of the mails.',
      examples: ['Tocsin <tocsin@example.com>'],
    },
    to: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      maxItems: 100,
      uniqueItems: true,
      description: 'The recipients. Each gets a mail of their own.',
      examples: [['ops@example.com']],
    },
    engine: engineSchema,
    subject_template: {
      type: 'string',
      format: 'template',
      description: 'The subject: the title when not set.',
      examples: ['[{{notification.severity}}] {{notification.title}}'],
    },
    body_template: {
      type: 'string',
      format: 'template',
      description: 'The HTML part, in place of the built-in one. Values are escaped.',
      examples: ['<h1>{{notification.title}}</h1><pre>{{body}}</pre>'],
    },
    body_template_file: {
      type: 'string',
      minLength: 1,
      description: 'The same in a file. A relative path starts from the folder of the configuration.',
    },
    time_zone: {
      type: 'string',
      format: 'time-zone',
      default: 'UTC',
      description: 'Of times that are formatted for people.',
    },
  },
  synonyms: {
    recipients: 'to',
    sender: 'from',
    subject: 'subject_template',
    template: 'body_template',
    body: 'body_template',
    timezone: 'time_zone',
  },
}

const PORTS = { starttls: 587, tls: 465, none: 25 } as const

export function portOf({ port, security }: SmtpConfig): number {
  return port ?? PORTS[security]
}

export function checkEmail(config: EmailConfig): CheckProblem[] {
  const problems = [...checkSmtp(config.smtp)]
  const addresses = [['from', config.from] as const, ...config.to.map((to, at) => [at, to] as const)]
  for (const [where, text] of addresses) {
    if (addressOf(text) !== undefined) continue
    const several = addressesIn(text)
    problems.push({
      path: where === 'from' ? ['from'] : ['to', where],
      ...(several.length > 1
        ? {
            message: `${JSON.stringify(text)} holds ${several.length} addresses: ${several.join(' and ')}`,
            fix: where === 'from' ? 'write one' : `write [${several.join(', ')}]`,
          }
        : {
            message: `${JSON.stringify(text)} is not one mail address`,
            fix: 'write name@example.com or Name <name@example.com>',
          }),
    })
  }
  if (config.body_template !== undefined && config.body_template_file !== undefined) {
    problems.push({
      path: ['body_template_file'],
      message: 'body_template and body_template_file are both set',
      fix: 'keep one of them',
    })
  }
  return problems
}

/** `ops@example.com` of `Ops <ops@example.com>`; undefined unless it is exactly one address. */
export function addressOf(text: string): string | undefined {
  // A line break would end the header.
  if (/\p{Cc}/u.test(text)) return undefined
  // The parser takes what stands beside an address for a name, another address too.
  if (addressesIn(text).length > 1) return undefined
  const [only, ...more] = addressparser(text)
  const address = only?.address
  return more.length === 0 && address && /^[^\s<>()[\],;:\\"@]+@[^\s<>()[\],;:\\"@]+$/.test(address)
    ? address
    : undefined
}

/** Addresses that differ; what is quoted is a name. */
function addressesIn(text: string): readonly string[] {
  const found = text.replace(/"(?:[^"\\]|\\.)*"/g, ' ').match(/[^\s<>()[\],;:\\"@]+@[^\s<>()[\],;:\\"@]+/g)
  return [...new Map((found ?? []).map(address => [address.toLowerCase(), address])).values()]
}

function checkSmtp({ username, password, security, tls }: SmtpConfig): CheckProblem[] {
  const problems = checkTls(tls, ['smtp', 'tls'])
  if ((username === undefined) !== (password === undefined)) {
    const [has, lacks] = username === undefined ? ['password', 'username'] : ['username', 'password']
    problems.push({
      path: ['smtp', has],
      message: `there is a ${has} without a ${lacks}`,
      fix: `add ${lacks}`,
    })
  }
  if (tls?.insecure && security !== 'none') {
    problems.push({
      path: ['smtp', 'tls', 'insecure'],
      message: `insecure contradicts security: ${security}`,
      fix: 'security: none sends in plain text; insecure_skip_verify takes any certificate',
    })
  }
  if (security === 'none' && password !== undefined) {
    problems.push({
      severity: 'warning',
      path: ['smtp', 'security'],
      message: 'the password and the mails go over the network in plain text',
      fix: 'security: starttls',
    })
  }
  return problems
}
