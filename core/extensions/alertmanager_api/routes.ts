import type { GraphInUse } from 'tocsin/component'

/** For alerts of pipelines that tell nobody. */
export const NOBODY = 'none'

/** Who is told of the alerts of a pipeline: its notifying exporters, those behind connectors too. */
export function receiversOf(
  { pipelines, connectors, notifying }: GraphInUse,
  pipeline: string,
): readonly string[] {
  const found = new Set<string>()
  const seen = new Set<string>()
  const visit = (id: string): void => {
    if (seen.has(id)) return
    seen.add(id)
    for (const exporter of pipelines[id]?.exporters ?? []) {
      if (notifying.includes(exporter)) found.add(exporter)
      if (!connectors.includes(exporter)) continue
      for (const [next, { receivers }] of Object.entries(pipelines))
        if (receivers.includes(exporter)) visit(next)
    }
  }
  visit(pipeline)
  return found.size > 0 ? [...found].sort() : [NOBODY]
}

/** What Alertmanager's configuration would be for these pipelines: for people, and for `amtool config routes`. */
export function configOf(graph: GraphInUse): string {
  const quoted = (text: string): string => JSON.stringify(text)
  const routes = Object.keys(graph.pipelines).flatMap(pipeline =>
    receiversOf(graph, pipeline)
      .filter(receiver => receiver !== NOBODY)
      .map(receiver =>
        [
          `  - receiver: ${quoted(receiver)}`,
          `    matchers: [${quoted(`pipeline=${JSON.stringify(pipeline)}`)}]`,
          '    continue: true',
        ].join('\n'),
      ),
  )
  return [
    '# Made of the pipelines of Tocsin.',
    'route:',
    `  receiver: ${NOBODY}`,
    '  group_by: [pipeline]',
    ...(routes.length > 0 ? ['  routes:', ...routes] : []),
    'receivers:',
    ...[NOBODY, ...[...graph.notifying].sort()].map(name => `- name: ${quoted(name)}`),
    '',
  ].join('\n')
}
