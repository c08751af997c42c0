import type { CommandIo } from 'tocsin'
import { FORMATS } from '../../core/cli/load.js'
import { processEnvironment } from '../../core/config/index.js'
import { NOT_SHARED, sharedQuery } from '../../receivers/victorialogs/shared-query.js'
import { counted, readAsTocsin } from './config/provider.js'
import { sourcesOf, type ValerterConfig } from './config/types.js'

/** What `--validate` says of a valid configuration; `source`: as for `--config`. Secrets are left out. */
export async function summaryOf(source: string, io: CommandIo): Promise<string> {
  const environment = { ...processEnvironment(), env: io.env, cwd: io.cwd }
  const { valerter, notes = [] } = await readAsTocsin(source.replace(/^valerter:/, ''), environment, FORMATS)
  return valerter
    ? `${[...notes, ...lines(valerter)].join('\n')}\nConfiguration is valid.\n`
    : 'Configuration is valid.\n'
}

function lines(config: ValerterConfig): readonly string[] {
  const { sources, rules, templates, notifiers } = config
  return [
    ...section('Sources', sources, ({ url, basic_auth }) =>
      [masked(url), basic_auth && `user ${basic_auth.username}, password ***`].filter(Boolean).join(', '),
    ),
    ...section('Rules', rules, rule => {
      const { template, destinations } = rule.notify
      const off = rule.enabled === false ? 'disabled, ' : ''
      return `${off}from ${sourcesOf(rule, config).join(', ')}, template ${template}, to ${destinations.join(', ')}`
    }),
    ...tails(config),
    ...section('Templates', templates, ({ email_body_html, body_format = 'text' }) =>
      [body_format, email_body_html && 'with HTML for mail'].filter(Boolean).join(', '),
    ),
    ...section('Notifiers', notifiers, ({ type, ...fields }) => `${type}${target(fields)}`),
  ]
}

/** Of each source: how many rules read its tail together, and why another has one of its own. */
function tails(config: ValerterConfig): readonly string[] {
  const enabled = Object.entries(config.rules).filter(([, { enabled }]) => enabled !== false)
  return [
    'Tails:',
    ...Object.keys(config.sources).flatMap(source => {
      const rules = enabled.filter(([, rule]) => sourcesOf(rule, config).includes(source))
      const ways = new Map<string, string[]>()
      for (const [name, { query }] of rules) {
        const words = sharedQuery({ endpoint: '', share_tail: true, query })
        const way =
          typeof words === 'string'
            ? `own, ${NOT_SHARED[words]}`
            : `shared${words.stream === '' ? '' : ` behind ${words.stream}`}`
        ways.set(way, [...(ways.get(way) ?? []), name])
      }
      return [...ways].map(([way, names]) => `  ${source}, ${way}: ${names.join(', ')}`)
    }),
  ]
}

function section<T>(
  title: string,
  entries: { readonly [name: string]: T },
  say: (entry: T) => string,
): readonly string[] {
  return [`${title}:`, ...Object.entries(entries).map(([name, entry]) => `  ${name}: ${say(entry)}`)]
}

/** Scheme, host and port: the path may hold a secret, and so may a password and a query. */
function masked(url: string): string {
  if (!URL.canParse(url)) return '***'
  const { origin, pathname, search } = new URL(url)
  return pathname === '/' && search === '' ? origin : `${origin}/***`
}

/** Where a notifier sends. */
function target(fields: { readonly [field: string]: unknown }): string {
  const url = fields.webhook_url ?? fields.url
  if (typeof url === 'string') return `, ${masked(url)}`
  if (Array.isArray(fields.to)) return `, to ${fields.to.join(', ')}`
  return Array.isArray(fields.chat_ids) ? `, ${counted(fields.chat_ids.length, 'chat')}, token ***` : ''
}
