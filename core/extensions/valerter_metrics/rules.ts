import type { PipelinesInUse } from 'tocsin/component'

export interface Rule {
  readonly name: string
  readonly pipeline: string
  readonly sources: readonly { readonly name: string; readonly receiver: string }[]
  readonly notifiers: readonly Notifier[]
  /** The processor that decides whether an alert passes. */
  readonly throttle: string | undefined
  readonly parsers: readonly string[]
}

export interface Notifier {
  readonly id: string
  readonly name: string
  readonly type: string
}

/**
 * Rules, sources and notifiers as the ids of pipelines and components say them: `logs/RULE`,
 * `victorialogs/SOURCE/RULE`, `TYPE/NOTIFIER`. `names`: where they say something else.
 */
export function rulesOf(
  pipelines: PipelinesInUse,
  names: { readonly [id: string]: string } = {},
): readonly Rule[] {
  return Object.entries(pipelines).map(([pipeline, { receivers, processors, exporters }]) => ({
    name: names[pipeline] ?? nameIn(pipeline),
    pipeline,
    sources: receivers.map(receiver => ({ receiver, name: receiver.split('/')[1] ?? receiver })),
    notifiers: exporters.map(id => ({ id, type: id.split('/')[0] as string, name: names[id] ?? nameIn(id) })),
    throttle: processors.find(id => id.split('/')[0] === 'throttle'),
    parsers: processors.filter(id => id.split('/')[0] === 'parser'),
  }))
}

export type Labels = { readonly [name: string]: string }

/** What series there are for. */
export interface Layout {
  readonly rules: readonly Rule[]
  /** Each rule once for each of its sources; in 1.x they have no label of it. */
  readonly streams: readonly Stream[]
  readonly notifiers: readonly Notifier[]
  /** The receivers of each source. */
  readonly sources: ReadonlyMap<string, readonly string[]>
}

export interface Stream {
  readonly rule: Rule
  readonly receiver: string
  readonly labels: Labels
}

export function layoutOf(rules: readonly Rule[], bySource: boolean): Layout {
  const sources = new Map<string, string[]>()
  for (const rule of rules)
    for (const { name, receiver } of rule.sources) {
      const receivers = sources.get(name) ?? []
      if (!receivers.includes(receiver)) receivers.push(receiver)
      sources.set(name, receivers)
    }
  return {
    rules,
    sources,
    notifiers: [...new Map(rules.flatMap(({ notifiers }) => notifiers.map(one => [one.id, one]))).values()],
    streams: rules.flatMap(rule =>
      rule.sources.map(({ name, receiver }) => ({
        rule,
        receiver,
        labels: { rule_name: rule.name, ...(bySource && { vl_source: name }) },
      })),
    ),
  }
}

export function labelsOf({
  name,
  type,
}: Notifier): Labels & { notifier_name: string; notifier_type: string } {
  return { notifier_name: name, notifier_type: type }
}

/** What stands after the type in an id. */
export function nameIn(id: string): string {
  const slash = id.indexOf('/')
  return slash < 0 ? id : id.slice(slash + 1)
}
