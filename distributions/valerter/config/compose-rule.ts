import type { MapNode } from '../../../core/config/index.js'
import type { Ids } from './ids.js'
import { type Item, literal, type Nodes } from './nodes.js'
import { sourcesOf, type ValerterConfig, type ValerterRule } from './types.js'

export interface RuleOptions {
  readonly nodes: Nodes
  readonly config: ValerterConfig
  readonly ids: Ids
  /** The text of the files that notifiers name for their bodies, by notifier. */
  readonly bodies: ReadonlyMap<string, string>
}

/** The pipeline that a rule becomes. */
export function composeRule(name: string, rule: ValerterRule, options: RuleOptions): MapNode {
  const { nodes, config, ids } = options
  const path = ['rules', name]
  nodes.at(path)
  const { parser, notify } = rule
  const statements = [...windowsEvent(rule, options), ...dottedFields(rule)]
  const processors: Item[] = [
    ...(parser?.regex === undefined
      ? []
      : [{ parser: nodes.map({ regex: nodes.given([...path, 'parser', 'regex']) }) }]),
    ...(statements.length === 0
      ? []
      : [{ transform: nodes.map({ error_mode: 'silent', log_statements: statements }) }]),
    ruleThrottle(name, rule, options),
    {
      [ids.of('template', notify.template)]: nodes.map({
        attributes: { rule_name: literal(name) },
        channel: nodes.given([...path, 'notify', 'mattermost_channel']),
      }),
    },
  ]
  return nodes.map({
    receivers: sourcesOf(rule, config).map(source => ({
      [`victorialogs/${source}`]: nodes.map({ query: nodes.given([...path, 'query']) }),
    })),
    processors,
    exporters: notify.destinations.map(destination =>
      ids.of(config.notifiers[destination]?.type as string, destination),
    ),
  })
}

/** A rule's block replaces the default whole; in a key the rule has a name already. */
function ruleThrottle(name: string, { throttle }: ValerterRule, { nodes, config }: RuleOptions): Item {
  const { defaults, sources } = config
  const key = throttle ? throttle.key : defaults.throttle.key
  const path = throttle ? ['rules', name, 'throttle'] : ['defaults', 'throttle']
  const named = key?.includes('rule_name')
    ? literal(`{% set rule_name = ${JSON.stringify(name)} %}${key}`)
    : undefined
  if (!throttle) return named ? { 'throttle/default': nodes.map({ key: named }) } : 'throttle/default'
  const several = Object.keys(sources).length > 1
  const without = several ? '{{ vl_source }}' : defaults.throttle.key === undefined ? undefined : ''
  return {
    'throttle/default': nodes.map({
      key: named ?? nodes.given([...path, 'key']) ?? without,
      ...nodes.fields(path, 'count', 'window'),
    }),
  }
}

/** `StringInserts` of Windows events is JSON in a text; only who asks for it needs it read. */
function windowsEvent(rule: ValerterRule, { config, bodies }: RuleOptions): readonly string[] {
  const { templates, notifiers, defaults } = config
  const asked = JSON.stringify([
    templates[rule.notify.template],
    rule.throttle ?? defaults.throttle,
    rule.parser?.json,
    rule.notify.destinations.map(destination => [notifiers[destination], bodies.get(destination)]),
  ])
  const field = 'attributes["StringInserts"]'
  return asked.includes('StringInserts')
    ? [`set(${field}, ParseJSON(${field})) where IsString(${field})`]
    : []
}

/** A path through maps; a flat key with dots is none, and visible to templates as it is. */
function dottedFields({ parser }: ValerterRule): readonly string[] {
  return (parser?.json?.fields ?? []).flatMap(field => {
    const steps = field.split('.')
    if (steps.length === 1) return []
    const path = `attributes${steps.map(step => `[${JSON.stringify(step)}]`).join('')}`
    return [literal(`set(attributes[${JSON.stringify(steps.at(-1))}], ${path}) where ${path} != nil`)]
  })
}
