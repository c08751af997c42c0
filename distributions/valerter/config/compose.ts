import {
  type Entry,
  locate,
  type MapNode,
  type Node,
  type Path,
  type Place,
} from '../../../core/config/index.js'
import { sourcesOf, type ValerterConfig, type ValerterRule } from './types.js'

export interface ComposeOptions {
  readonly config: ValerterConfig
  /** As checked: values are taken from here, with their places and references. */
  readonly tree: MapNode
  /** Undefined: nothing outlives the process. */
  readonly stateDirectory: string | undefined
}

const STORAGE = 'file_storage'
const METRICS = 'valerter_metrics'
const DEFAULT_PORT = 9090

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

/** The same as pipelines of ours: a preset for each source, template and notifier, and a pipeline for each rule. */
export function composeTocsin(options: ComposeOptions): MapNode {
  return new Composer(options).compose()
}

class Composer {
  readonly #config: ValerterConfig
  readonly #tree: MapNode
  readonly #state: string | undefined
  /** Ids by what Valerter calls it, where they differ. */
  readonly #renamed: [string, string][] = []
  readonly #taken = new Set<string>()
  #place: Place

  constructor({ config, tree, stateDirectory }: ComposeOptions) {
    this.#config = config
    this.#tree = tree
    this.#state = stateDirectory
    this.#place = tree.place
  }

  compose(): MapNode {
    const { sources, templates, notifiers, rules, metrics } = this.#config
    const notifierIds = new Map(
      Object.entries(notifiers).map(([name, { type }]) => [name, this.#id(type, name)] as const),
    )
    const receivers = Object.keys(sources).map(name => this.#source(name))
    const presets = Object.keys(templates).map(name => this.#template(name))
    const exporters = Object.keys(notifiers).map(name =>
      this.#notifier(name, notifierIds.get(name) as string),
    )
    const enabled = Object.entries(rules).filter(([, { enabled }]) => enabled !== false)
    const pipelines = enabled.map(([name, rule]) => this.#rule(name, rule, notifierIds))
    this.#place = this.#tree.place
    const exposed = metrics.enabled !== false
    const extensions: Fields = [
      ...(this.#state === undefined ? [] : [[STORAGE, this.#map({ directory: this.#state })] as const]),
      ...(exposed ? [[METRICS, this.#metrics()] as const] : []),
    ]
    return this.#map({
      receivers: this.#map(receivers),
      processors: this.#map([['throttle/default', this.#throttle()], ...presets]),
      exporters: this.#map(exporters),
      extensions: this.#map(extensions),
      service: this.#map({
        extensions: extensions.map(([id]) => id),
        ...(exposed ? {} : { telemetry: { metrics: { level: 'none' } } }),
        pipelines: this.#map(pipelines),
      }),
    })
  }

  #source(name: string): Field {
    const path = this.#config.version === 1 ? ['victorialogs'] : ['victorialogs', name]
    this.#at(path)
    const verify = this.#config.sources[name]?.tls?.verify
    return [
      `victorialogs/${name}`,
      this.#map({
        endpoint: this.#given([...path, 'url']),
        basic_auth: this.#given([...path, 'basic_auth']),
        headers: this.#given([...path, 'headers']),
        tls: verify === false ? { insecure_skip_verify: true } : undefined,
        storage: this.#storage(),
        attributes: this.#config.version === 2 ? { vl_source: name } : undefined,
      }),
    ]
  }

  #throttle(): MapNode {
    this.#at(['defaults', 'throttle'])
    const several = Object.keys(this.#config.sources).length > 1
    const key = this.#given(['defaults', 'throttle', 'key']) ?? (several ? '{{ vl_source }}' : undefined)
    return this.#map({
      engine: 'jinja',
      key,
      count: this.#given(['defaults', 'throttle', 'count']),
      window: this.#given(['defaults', 'throttle', 'window']),
      mode: 'fixed',
      storage: this.#storage(),
    })
  }

  #template(name: string): Field {
    const path = ['templates', name]
    this.#at(path)
    return [
      this.#id('template', name),
      this.#map({
        engine: 'jinja',
        title: this.#given([...path, 'title']),
        body: this.#given([...path, 'body']),
        body_html: this.#given([...path, 'email_body_html']) ?? this.#given([...path, 'body_html']),
        body_format: this.#given([...path, 'body_format']),
        accent_color: this.#given([...path, 'accent_color']),
        time_zone: this.#zone(),
      }),
    ]
  }

  #notifier(name: string, id: string): Field {
    const notifier = this.#config.notifiers[name] as ValerterConfig['notifiers'][string]
    const path = ['notifiers', name]
    this.#at(path)
    const given = (...fields: string[]): { [field: string]: Node | undefined } =>
      Object.fromEntries(fields.map(field => [field, this.#given([...path, field])]))
    const common = { engine: 'jinja', time_zone: this.#zone() }
    switch (notifier.type) {
      case 'mattermost': {
        const names = this.#config.version === 1 ? ['rule_name'] : ['rule_name', 'vl_source']
        const footer = [
          'valerter',
          ...[...names, 'log_timestamp_formatted'].map(field => `{{ ${field} }}`),
        ].join(' | ')
        return [
          id,
          this.#map({ ...given('webhook_url', 'channel', 'username', 'icon_url'), ...common, footer }),
        ]
      }
      case 'webhook': {
        const fields = WEBHOOK_FIELDS.filter(field => field !== 'vl_source' || this.#config.version === 2)
        const payload = fields.map(field => `"${field}": {{ ${field}|tojson }}`)
        const builtIn = `{"alert_name": ${JSON.stringify(name)}, ${payload.join(', ')}}`.replaceAll(
          '$',
          '$$$$',
        )
        const method = typeof notifier.method === 'string' ? notifier.method.toUpperCase() : undefined
        return [
          id,
          this.#map({
            endpoint: this.#given([...path, 'url']),
            method,
            ...given('headers', 'format'),
            ...common,
            body_template: this.#given([...path, 'body_template']) ?? builtIn,
          }),
        ]
      }
      case 'email': {
        const smtp = notifier.smtp as { tls?: string; tls_verify?: boolean }
        const template = notifier.body_template_file === undefined ? 'body_template' : 'body_template_file'
        return [
          id,
          this.#map({
            smtp: this.#map({
              ...Object.fromEntries(
                ['host', 'port', 'username', 'password'].map(field => [
                  field,
                  this.#given([...path, 'smtp', field]),
                ]),
              ),
              security: smtp.tls ?? 'starttls',
              tls: smtp.tls_verify === false ? { insecure_skip_verify: true } : undefined,
            }),
            ...given('from', 'to'),
            ...common,
            ...given('subject_template', template),
          }),
        ]
      }
      default: {
        const fields = ['bot_token', 'chat_ids', 'disable_notification', 'disable_web_page_preview', 'format']
        const mode = String(notifier.parse_mode ?? 'HTML').toLowerCase()
        const parse_mode = { html: 'HTML', markdown: 'Markdown' }[mode] ?? 'MarkdownV2'
        return [id, this.#map({ ...given(...fields), parse_mode, ...common, ...given('body_template') })]
      }
    }
  }

  #rule(name: string, rule: ValerterRule, notifierIds: ReadonlyMap<string, string>): Field {
    const path = ['rules', name]
    this.#at(path)
    const { parser, notify } = rule
    const processors: Item[] = []
    if (parser?.regex !== undefined)
      processors.push({ parser: this.#map({ regex: this.#given([...path, 'parser', 'regex']) }) })
    const statements = [...this.#windowsEvent(rule), ...dottedFields(rule)]
    if (statements.length > 0)
      processors.push({ transform: this.#map({ error_mode: 'silent', log_statements: statements }) })
    processors.push(this.#ruleThrottle(name, rule))
    processors.push({
      [this.#idOf('template', notify.template)]: this.#map({
        attributes: { rule_name: name },
        channel: this.#given([...path, 'notify', 'mattermost_channel']),
      }),
    })
    const pipeline = {
      receivers: sourcesOf(rule, this.#config).map(source => ({
        [`victorialogs/${source}`]: this.#map({ query: this.#given([...path, 'query']) }),
      })),
      processors,
      exporters: notify.destinations.map(destination => notifierIds.get(destination) as string),
    }
    return [this.#id('logs', name), this.#map(pipeline)]
  }

  /** A rule's block replaces the default whole; in a key the rule has a name already. */
  #ruleThrottle(name: string, { throttle }: ValerterRule): Item {
    const { defaults } = this.#config
    const key = throttle ? throttle.key : defaults.throttle.key
    const path = throttle ? ['rules', name, 'throttle'] : ['defaults', 'throttle']
    const named = key?.includes('rule_name')
      ? `{% set rule_name = ${JSON.stringify(name)} %}${key}`.replaceAll('$', '$$$$')
      : undefined
    if (!throttle) return named ? { 'throttle/default': this.#map({ key: named }) } : 'throttle/default'
    const several = Object.keys(this.#config.sources).length > 1
    const without = several ? '{{ vl_source }}' : defaults.throttle.key === undefined ? undefined : ''
    return {
      'throttle/default': this.#map({
        key: named ?? this.#given([...path, 'key']) ?? without,
        count: this.#given([...path, 'count']),
        window: this.#given([...path, 'window']),
      }),
    }
  }

  /** `StringInserts` of Windows events is JSON in a text; only who asks for it needs it read. */
  #windowsEvent(rule: ValerterRule): readonly string[] {
    const { templates, notifiers, defaults } = this.#config
    const asked = JSON.stringify([
      templates[rule.notify.template],
      rule.throttle ?? defaults.throttle,
      rule.parser?.json,
      rule.notify.destinations.map(destination => notifiers[destination]),
    ])
    const field = 'attributes["StringInserts"]'
    return asked.includes('StringInserts')
      ? [`set(${field}, ParseJSON(${field})) where IsString(${field})`]
      : []
  }

  #metrics(): MapNode {
    const { metrics, version } = this.#config
    return this.#map({
      endpoint: `0.0.0.0:${metrics.port ?? DEFAULT_PORT}`,
      labels: version === 1 ? '1.x' : '2.x',
      names: this.#renamed.length > 0 ? Object.fromEntries(this.#renamed) : undefined,
    })
  }

  #storage(): string | undefined {
    return this.#state === undefined ? undefined : STORAGE
  }

  #zone(): Node | undefined {
    return this.#given(['defaults', 'timestamp_timezone'])
  }

  /** Names have spaces and signs in Valerter; ids have not. */
  #id(type: string, name: string): string {
    const base = this.#idOf(type, name)
    let id = base
    for (let number = 2; this.#taken.has(id); number++) id = `${base}.${number}`
    this.#taken.add(id)
    if (id !== `${type}/${name}` && type !== 'template') this.#renamed.push([id, name])
    return id
  }

  #idOf(type: string, name: string): string {
    return `${type}/${name.replace(/[\p{Z}\p{C}\p{S}]+/gu, '_')}`
  }

  /** Where what has no place of its own is said to stand. */
  #at(path: Path): void {
    this.#place = locate(this.#tree, path).keyPlace
  }

  #given(path: Path): Node | undefined {
    const { node, exact } = locate(this.#tree, path)
    return exact && !(node.kind === 'scalar' && node.value === null) ? node : undefined
  }

  #map(fields: Fields | { readonly [key: string]: Value }): MapNode {
    const pairs = Array.isArray(fields) ? (fields as Fields) : Object.entries(fields)
    const entries = pairs.flatMap(([key, value]): [string, Entry][] =>
      value === undefined ? [] : [[key, { key: this.#place, value: this.#node(value) }]],
    )
    return { kind: 'map', place: this.#place, entries: new Map(entries) }
  }

  #node(value: Exclude<Value, undefined>): Node {
    const place = this.#place
    if (typeof value === 'object' && 'kind' in value && typeof value.kind === 'string') return value as Node
    if (Array.isArray(value)) return { kind: 'list', place, items: value.map(item => this.#node(item)) }
    if (typeof value === 'object') return this.#map(value as { [key: string]: Value })
    return { kind: 'scalar', place, value, text: String(value) }
  }
}

type Value =
  | Node
  | string
  | number
  | boolean
  | undefined
  | readonly Item[]
  | { readonly [key: string]: Value }
type Item = string | { readonly [key: string]: Value }
type Field = readonly [string, Node]
type Fields = readonly Field[]

/** A path through maps; a flat key with dots is none, and visible to templates as it is. */
function dottedFields({ parser }: ValerterRule): readonly string[] {
  return (parser?.json?.fields ?? []).flatMap(field => {
    const steps = field.split('.')
    if (steps.length === 1) return []
    const path = `attributes${steps.map(step => `[${JSON.stringify(step)}]`).join('')}`
    return [`set(attributes[${JSON.stringify(steps.at(-1))}], ${path}) where ${path} != nil`]
  })
}
