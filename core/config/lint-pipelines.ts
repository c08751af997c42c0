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
    const exporters = pipeline.exporters.flatMap(name => defined.exporter.get(name)?.component ?? [])
    // What goes on to another pipeline is looked at there.
    if (exporters.length < pipeline.exporters.length) continue
    const notifying = exporters.filter(({ factory }) => (factory as { notifying?: boolean }).notifying)
    const alerts = pipeline.processors.some(name => makesAlerts(defined, name))
    if (alerts && notifying.length === 0) {
      warn(
        'no-alert-route',
        'it finds alerts, and no exporter of it tells anybody',
        `add one that notifies, such as webhook or mattermost, beside ${pipeline.exporters.join(', ')}`,
      )
    }
    const bare = notifying.filter(({ config }) => (config as { condition?: string }).condition === undefined)
    if (pipeline.processors.length === 0 && bare.length > 0) {
      warn(
        'every-line-notifies',
        `every record that comes in is a notification by ${bare.map(one => one.id).join(', ')}`,
        'add a filter, a throttle or stateful_alert, or a condition to the exporter',
      )
    }
  }
}

function makesAlerts(defined: DefinedByKind, name: string): boolean {
  const component = defined.processor.get(name)?.component
  const makes = component?.factory.makes as ((config: unknown) => readonly string[] | undefined) | undefined
  return makes?.(component?.config)?.includes('alert') ?? false
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
