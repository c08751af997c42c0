import type { AnyFactory } from '../component/index.js'

/** What a graph is built from: a validated configuration, its references resolved. */
export interface GraphPlan {
  readonly receivers: ReadonlyMap<string, ComponentPlan>
  readonly processors: ReadonlyMap<string, ComponentPlan>
  readonly exporters: ReadonlyMap<string, ComponentPlan>
  readonly connectors: ReadonlyMap<string, ComponentPlan>
  readonly pipelines: ReadonlyMap<string, PipelinePlan>
}

export interface ComponentPlan {
  readonly id: string
  readonly factory: AnyFactory
  readonly config: object
}

/** `receivers` may name connectors, and so may `exporters`. */
export interface PipelinePlan {
  readonly id: string
  readonly receivers: readonly string[]
  readonly processors: readonly string[]
  readonly exporters: readonly string[]
}

/** Pipelines and connectors, upstream first. The configuration has no cycle. */
export function upstreamFirst(plan: GraphPlan): readonly string[] {
  const order: string[] = []
  const visit = (id: string): void => {
    if (order.includes(id)) return
    const pipeline = plan.pipelines.get(id)
    const sources = pipeline
      ? pipeline.receivers.filter(source => plan.connectors.has(source))
      : [...plan.pipelines.values()]
          .filter(({ exporters }) => exporters.includes(id))
          .map(source => source.id)
    for (const source of sources) visit(source)
    order.push(id)
  }
  for (const id of plan.pipelines.keys()) visit(id)
  for (const id of plan.connectors.keys()) visit(id)
  return order
}

export function pipelinesWith(
  plan: GraphPlan,
  role: 'receivers' | 'processors' | 'exporters',
  id: string,
): readonly string[] {
  return [...plan.pipelines.values()]
    .filter(pipeline => pipeline[role].includes(id))
    .map(pipeline => pipeline.id)
}
