import { isAbsolute, join } from 'node:path'
import type { MapNode } from '../../../core/config/index.js'
import { composeNotifier } from './compose-notifier.js'
import { composeRule } from './compose-rule.js'
import { Ids } from './ids.js'
import { type Field, literal, Nodes } from './nodes.js'
import { sourcesOf, type ValerterConfig } from './types.js'

export interface ComposeOptions {
  readonly config: ValerterConfig
  /** As checked: values are taken from here, with their places and references. */
  readonly tree: MapNode
  /** The text of the files that notifiers name for their bodies, by notifier. */
  readonly bodies: ReadonlyMap<string, string>
  /** Undefined: nothing outlives the process. */
  readonly stateDirectory: string | undefined
}

const STORAGE = 'file_storage'
const METRICS = 'valerter_metrics'
const DEFAULT_PORT = 9090

/** The same as pipelines of ours: a preset for each source, template and notifier, and a pipeline for each rule. */
export function composeTocsin({ config, tree, bodies, stateDirectory }: ComposeOptions): MapNode {
  const nodes = new Nodes(tree)
  const ids = new Ids()
  const storage = stateDirectory === undefined ? undefined : STORAGE
  const { sources, templates, notifiers, rules, metrics, version } = config
  const fileOf = (file: string): string => (isAbsolute(file) ? file : join(tree.place.source.folder, file))

  const enabled = Object.entries(rules).filter(([, rule]) => rule.enabled !== false)
  // A source that no rule reads would be a receiver without a query.
  const read = new Set(enabled.flatMap(([, rule]) => sourcesOf(rule, config)))
  const receivers = Object.keys(sources)
    .filter(name => read.has(name))
    .map(name => source(name, config, nodes, storage))
  const throttle: Field = ['throttle/default', defaultThrottle(config, nodes, storage)]
  const presets = Object.keys(templates).map(
    (name): Field => [ids.of('template', name), template(name, nodes)],
  )
  const exporters = Object.entries(notifiers).map(
    ([name, notifier]): Field => [
      ids.of(notifier.type, name),
      composeNotifier(name, notifier, { nodes, version, fileOf }),
    ],
  )
  const pipelines = Object.entries(rules)
    .filter(([, { enabled }]) => enabled !== false)
    .map(
      ([name, rule]): Field => [
        ids.of('logs', name),
        composeRule(name, rule, { nodes, config, ids, bodies }),
      ],
    )

  nodes.at(['metrics'])
  const exposed = metrics.enabled !== false
  const extensions: Field[] = []
  if (stateDirectory !== undefined)
    extensions.push([STORAGE, nodes.map({ directory: literal(stateDirectory) })])
  if (exposed) {
    const renamed = ids.renamed()
    const settings = {
      endpoint: `0.0.0.0:${metrics.port ?? DEFAULT_PORT}`,
      labels: version === 1 ? '1.x' : '2.x',
      names: Object.keys(renamed).length > 0 ? renamed : undefined,
    }
    extensions.push([METRICS, nodes.map(settings)])
  }
  nodes.at([])
  return nodes.map({
    receivers: nodes.map(receivers),
    processors: nodes.map([throttle, ...presets]),
    exporters: nodes.map(exporters),
    extensions: nodes.map(extensions),
    service: nodes.map({
      extensions: extensions.map(([id]) => id),
      ...(exposed ? {} : { telemetry: { metrics: { level: 'none' } } }),
      pipelines: nodes.map(pipelines),
    }),
  })
}

function source(
  name: string,
  { version, sources }: ValerterConfig,
  nodes: Nodes,
  storage: string | undefined,
): Field {
  const path = version === 1 ? ['victorialogs'] : ['victorialogs', name]
  nodes.at(path)
  const settings = nodes.map({
    endpoint: nodes.given([...path, 'url']),
    ...nodes.fields(path, 'basic_auth', 'headers'),
    tls: sources[name]?.tls?.verify === false ? { insecure_skip_verify: true } : undefined,
    share_tail: true,
    storage,
    attributes: version === 2 ? { vl_source: name } : undefined,
  })
  return [`victorialogs/${name}`, settings]
}

function defaultThrottle(
  { sources, defaults }: ValerterConfig,
  nodes: Nodes,
  storage: string | undefined,
): MapNode {
  const path = ['defaults', 'throttle']
  nodes.at(path)
  const several = Object.keys(sources).length > 1
  return nodes.map({
    engine: 'jinja',
    key: nodes.given([...path, 'key']) ?? (several ? '{{ vl_source }}' : undefined),
    count: nodes.given([...path, 'count']) ?? defaults.throttle.count,
    window: nodes.given([...path, 'window']) ?? defaults.throttle.window,
    mode: 'fixed',
    storage,
  })
}

function template(name: string, nodes: Nodes): MapNode {
  const path = ['templates', name]
  nodes.at(path)
  return nodes.map({
    engine: 'jinja',
    ...nodes.fields(path, 'title', 'body'),
    body_html: nodes.given([...path, 'email_body_html']) ?? nodes.given([...path, 'body_html']),
    ...nodes.fields(path, 'body_format', 'accent_color'),
    time_zone: nodes.given(['defaults', 'timestamp_timezone']),
  })
}
