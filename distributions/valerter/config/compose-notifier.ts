import type { MapNode } from '../../../core/config/index.js'
import { literal, type Nodes } from './nodes.js'
import type { ValerterConfig, ValerterNotifier } from './types.js'

/** What Valerter sends where a webhook has no template. */
const WEBHOOK_FIELDS = [
  'rule_name',
  'vl_source',
  'title',
  'body',
  'timestamp',
  'log_timestamp',
  'log_timestamp_formatted',
]

export interface NotifierOptions {
  readonly nodes: Nodes
  readonly version: ValerterConfig['version']
  /** Of the file that `body_template_file` names. */
  readonly fileOf: (file: string) => string
}

/** The settings of the exporter that a notifier becomes. */
export function composeNotifier(name: string, notifier: ValerterNotifier, options: NotifierOptions): MapNode {
  const { nodes } = options
  const path = ['notifiers', name]
  nodes.at(path)
  const common = { engine: 'jinja', time_zone: nodes.given(['defaults', 'timestamp_timezone']) }
  switch (notifier.type) {
    case 'mattermost':
      return nodes.map({
        ...nodes.fields(path, 'webhook_url', 'channel', 'username', 'icon_url'),
        ...common,
        footer: footerOf(options.version),
      })
    case 'webhook':
      return nodes.map({
        endpoint: nodes.given([...path, 'url']),
        method: typeof notifier.method === 'string' ? notifier.method.toUpperCase() : undefined,
        ...nodes.fields(path, 'headers', 'format'),
        ...common,
        body_template: nodes.given([...path, 'body_template']) ?? payloadOf(name, options.version),
      })
    case 'email':
      return email(path, notifier, common, options)
    default: {
      const mode = String(notifier.parse_mode ?? 'HTML').toLowerCase()
      return nodes.map({
        ...nodes.fields(
          path,
          'bot_token',
          'chat_ids',
          'disable_notification',
          'disable_web_page_preview',
          'format',
        ),
        parse_mode: { html: 'HTML', markdown: 'Markdown' }[mode] ?? 'MarkdownV2',
        ...common,
        ...nodes.fields(path, 'body_template'),
      })
    }
  }
}

function email(
  path: readonly string[],
  { smtp, body_template_file: file }: ValerterNotifier,
  common: Parameters<Nodes['map']>[0],
  { nodes, fileOf }: NotifierOptions,
): MapNode {
  const { tls, tls_verify } = smtp as { tls?: string; tls_verify?: boolean }
  return nodes.map({
    smtp: nodes.map({
      ...nodes.fields([...path, 'smtp'], 'host', 'port', 'username', 'password'),
      security: tls ?? 'starttls',
      tls: tls_verify === false ? { insecure_skip_verify: true } : undefined,
    }),
    ...nodes.fields(path, 'from', 'to'),
    ...common,
    ...nodes.fields(path, 'subject_template', ...(file === undefined ? ['body_template'] : [])),
    body_template_file: file === undefined ? undefined : literal(fileOf(file)),
  })
}

function footerOf(version: ValerterConfig['version']): string {
  const names = version === 1 ? ['rule_name'] : ['rule_name', 'vl_source']
  return ['valerter', ...[...names, 'log_timestamp_formatted'].map(name => `{{ ${name} }}`)].join(' | ')
}

function payloadOf(notifier: string, version: ValerterConfig['version']): string {
  const fields = WEBHOOK_FIELDS.filter(field => field !== 'vl_source' || version === 2)
  const payload = fields.map(field => `"${field}": {{ ${field}|tojson }}`)
  return literal(`{"alert_name": ${JSON.stringify(notifier)}, ${payload.join(', ')}}`)
}
