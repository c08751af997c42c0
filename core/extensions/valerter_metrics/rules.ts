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

function nameIn(id: string): string {
  const slash = id.indexOf('/')
  return slash < 0 ? id : id.slice(slash + 1)
}
