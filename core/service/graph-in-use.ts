import type { ExporterFactory, GraphInUse } from '../component/index.js'
import type { ServiceSettings } from './settings.js'

/** What of a configuration runs, for extensions that show it. */
export function graphInUse({ graph }: ServiceSettings): GraphInUse {
  return {
    pipelines: Object.fromEntries(
      [...graph.pipelines].map(([id, { receivers, processors, exporters }]) => [
        id,
        { receivers, processors, exporters },
      ]),
    ),
    connectors: [...graph.connectors.keys()],
    notifying: [...graph.exporters.values()]
      .filter(({ factory }) => (factory as unknown as ExporterFactory).notifying)
      .map(({ id }) => id),
  }
}

/** Where somebody may look on, in the order of the pipelines: `logs`, `receiver/otlp`, `processor/filter`, `exporter/webhook/ops`. */
export function pointsOf({ graph }: ServiceSettings): string[] {
  const points = [...graph.pipelines].flatMap(([id, { receivers, processors, exporters }]) => {
    const named = (kind: string, ids: readonly string[]): string[] =>
      ids.map(one => `${graph.connectors.has(one) ? 'connector' : kind}/${one}`)
    return [
      ...named('receiver', receivers),
      ...named('processor', processors),
      id,
      ...named('exporter', exporters),
    ]
  })
  return [...new Set(points)]
}
