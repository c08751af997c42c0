import type { Findings } from './findings.js'
import { type MapNode, type Node, type Path, problemAt } from './node.js'
import type { DefinedByKind } from './pipelines.js'
import type { PipelineConfig } from './types.js'

/** What is odd about pipelines as a whole. `service`: the section as it was written. */
export function lintPipelines(
  pipelines: { readonly [id: string]: PipelineConfig },
  defined: DefinedByKind,
  service: Node,
  findings: Findings,
): void {
  for (const [id, pipeline] of Object.entries(pipelines)) {
    const warn = (code: string, message: string, fix: string): void => {
      const path = ['service', 'pipelines', id]
      findings.problems.push({
        ...problemAt(placeOf(service, ['pipelines', id]), path, message, fix, 'warning'),
        code,
      })
    }
    const telling = (names: readonly string[]) =>
      names
        .flatMap(name => defined.exporter.get(name)?.component ?? [])
        .filter(({ factory }) => (factory as { notifying?: boolean }).notifying)
    const alerts = pipeline.processors.some(name => makesAlerts(defined, name))
    const behind = [...pipelinesBehind(pipeline, pipelines)]
    if (alerts && behind.every(({ exporters }) => telling(exporters).length === 0)) {
      const ends = behind.flatMap(({ exporters }) => exporters).filter(name => defined.exporter.has(name))
      warn(
        'no-alert-route',
        `it finds alerts, and no exporter ${
          behind.length > 1
            ? `of it or of ${behind
                .slice(1)
                .map(one => one.id)
                .join(', ')}`
            : 'of it'
        } tells anybody`,
        `add one that notifies, such as webhook or mattermost, beside ${[...new Set(ends)].join(', ')}`,
      )
    }
    const notifying = telling(pipeline.exporters)
    const bare = notifying.filter(({ config }) => (config as { condition?: string }).condition === undefined)
    // What a connector brings has been through other pipelines.
    const straight =
      pipeline.processors.length === 0 && pipeline.receivers.some(id => defined.receiver.has(id))
    if (straight && bare.length > 0) {
      warn(
        'every-line-notifies',
        `every record that comes in is a notification by ${bare.map(one => one.id).join(', ')}`,
        'add a filter, a throttle or stateful_alert, or a condition to the exporter',
      )
    }
  }
}

/** The pipeline, and those that its connectors feed. */
function pipelinesBehind(
  pipeline: PipelineConfig,
  all: { readonly [id: string]: PipelineConfig },
): ReadonlySet<PipelineConfig> {
  const found = new Set([pipeline])
  for (const { exporters } of found)
    for (const next of Object.values(all))
      if (next.receivers.some(id => exporters.includes(id))) found.add(next)
  return found
}

function makesAlerts(defined: DefinedByKind, name: string): boolean {
  const component = defined.processor.get(name)?.component
  const makes = component?.factory.makes as ((config: unknown) => readonly string[] | undefined) | undefined
  return makes?.(component?.config)?.some(made => /^alert(\.|$)/.test(made)) ?? false
}

/** Of the key, as near to it as there is one. */
function placeOf(node: Node, path: Path): MapNode['place'] {
  let { place } = node
  let at: Node | undefined = node
  for (const key of path) {
    if (at?.kind !== 'map') break
    const entry = at.entries.get(String(key))
    if (!entry) break
    place = entry.key
    at = entry.value
  }
  return place
}
