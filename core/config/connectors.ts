import type { Defined } from './components.js'
import type { Findings } from './findings.js'
import type { PipelineConfig } from './types.js'

/** A connector ends one pipeline and starts another, and pipelines joined by connectors never come round. */
export function checkConnectors(
  pipelines: { readonly [id: string]: PipelineConfig },
  connectors: ReadonlyMap<string, Defined>,
  receivers: ReadonlyMap<string, Defined>,
  exporters: ReadonlyMap<string, Defined>,
  findings: Findings,
): void {
  const all = Object.values(pipelines)
  for (const connector of connectors.values()) {
    const { id, key, section } = connector
    const path = [section, id]
    const into = all.filter(pipeline => pipeline.exporters.includes(id)).map(pipeline => pipeline.id)
    const out = all.filter(pipeline => pipeline.receivers.includes(id)).map(pipeline => pipeline.id)
    if (receivers.has(id) || exporters.has(id)) {
      const other = receivers.has(id) ? 'receiver' : 'exporter'
      findings.error(
        key,
        path,
        `"${id}" is the id of a connector and of a ${other}`,
        `rename one of them: "${id}/name"`,
      )
    } else if (into.length > 0 && out.length === 0) {
      findings.error(
        key,
        path,
        `the connector "${id}" gets records from ${into.join(', ')}, but no pipeline receives from it`,
        `add "${id}" to the receivers of another pipeline`,
      )
    } else if (out.length > 0 && into.length === 0) {
      findings.error(
        key,
        path,
        `the connector "${id}" feeds ${out.join(', ')}, but no pipeline exports to it`,
        `add "${id}" to the exporters of another pipeline`,
      )
    }
  }
  const cycle = findCycle(all, connectors)
  if (!cycle) return
  const { key, section, id } = connectors.get(cycle[1]!)!
  findings.error(
    key,
    [section, id],
    `the pipelines form a cycle: ${cycle.join(' -> ')}`,
    'remove one of these connectors from the exporters of its pipeline',
  )
}

/** Pipelines and connectors in turn, the first pipeline again at the end. */
function findCycle(
  pipelines: readonly PipelineConfig[],
  connectors: ReadonlyMap<string, Defined>,
): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (pipeline: PipelineConfig, way: readonly string[]): readonly string[] | undefined => {
    const start = way.indexOf(pipeline.id)
    if (start >= 0) return [...way.slice(start), pipeline.id]
    if (done.has(pipeline.id)) return undefined
    for (const connector of pipeline.exporters) {
      if (!connectors.has(connector)) continue
      for (const next of pipelines.filter(other => other.receivers.includes(connector))) {
        const cycle = visit(next, [...way, pipeline.id, connector])
        if (cycle) return cycle
      }
    }
    done.add(pipeline.id)
    return undefined
  }
  for (const pipeline of pipelines) {
    const cycle = visit(pipeline, [])
    if (cycle) return cycle
  }
  return undefined
}
