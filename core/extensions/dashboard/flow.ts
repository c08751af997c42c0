import type { ComponentReport, GraphInUse, MetricPoint, ServiceStatus } from 'tocsin/component'
import type { Flow, FlowNode } from './messages.js'

/** All numbers of one moment. */
export interface Look {
  readonly atMs: number
  readonly points: readonly MetricPoint[]
}

type Of = { readonly [label: string]: string }

/** The pipelines with what their components say and do; `before` is an earlier look, for rates. */
export function flowOf(
  { pipelines, connectors }: GraphInUse,
  status: ServiceStatus,
  now: Look,
  before: Look | undefined,
): Omit<Flow, 'now'> {
  const latest = indexed(now.points)
  const earlier = before && indexed(before.points)
  const seconds = before ? (now.atMs - before.atMs) / 1_000 : 0
  const value = (name: string, of: Of): number | undefined => sum(latest, name, of)
  const rate = (name: string, of: Of): number | undefined => {
    const to = sum(latest, name, of)
    const from = earlier && (sum(earlier, name, of) ?? 0)
    // A counter that fell was begun anew.
    return to === undefined || from === undefined || seconds <= 0
      ? undefined
      : Math.max(0, to - from) / seconds
  }
  const node = (kind: string, id: string, pipeline: string): FlowNode => {
    const isConnector = connectors.includes(id)
    const real = isConnector ? 'connector' : kind
    const report = status.pipelines[pipeline]?.components[`${real}:${id}`]
    const size = kind === 'exporter' ? value('otelcol_exporter_queue_size', { exporter: id }) : undefined
    const capacity =
      kind === 'exporter' ? value('otelcol_exporter_queue_capacity', { exporter: id }) : undefined
    return without({
      id,
      kind: real,
      ...reported(report),
      ...(isConnector ? connectorRates(kind, id, rate) : ratesOf(kind, id, pipeline, rate)),
      queue: size !== undefined && capacity !== undefined ? { size, capacity } : undefined,
    })
  }
  return {
    status: status.status,
    pipelines: Object.entries(pipelines).map(([id, { receivers, processors, exporters }]) => ({
      id,
      status: status.pipelines[id]?.status ?? 'starting',
      receivers: receivers.map(each => node('receiver', each, id)),
      processors: processors.map(each => node('processor', each, id)),
      exporters: exporters.map(each => node('exporter', each, id)),
    })),
    extensions: Object.entries(status.extensions).map(([id, report]) => ({
      id,
      kind: 'extension',
      ...reported(report),
    })),
    givenUp: {
      kept: value('tocsin_dead_letter_log_records_total', { kept: 'true' }) ?? 0,
      dropped: value('tocsin_dead_letter_log_records_total', { kept: 'false' }) ?? 0,
    },
  }
}

type Rate = (name: string, of: Of) => number | undefined

/** What goes into it where it is an exporter, and comes out where it is a receiver. */
function connectorRates(role: string, id: string, rate: Rate) {
  return role === 'receiver'
    ? { outRate: rate('otelcol_processor_outgoing_items', { processor: id }) }
    : { inRate: rate('otelcol_processor_incoming_items', { processor: id }) }
}

function ratesOf(kind: string, id: string, pipeline: string, rate: Rate) {
  switch (kind) {
    case 'receiver':
      return {
        outRate: rate('otelcol_receiver_accepted_log_records', { receiver: id }),
        failedRate: rate('otelcol_receiver_refused_log_records', { receiver: id }),
      }
    case 'processor':
      return {
        inRate: rate('otelcol_processor_incoming_items', { processor: id, pipeline }),
        outRate: rate('otelcol_processor_outgoing_items', { processor: id, pipeline }),
      }
    default:
      return {
        outRate: rate('otelcol_exporter_sent_log_records', { exporter: id }),
        failedRate: rate('otelcol_exporter_send_failed_log_records', { exporter: id }),
      }
  }
}

function reported(report: ComponentReport | undefined) {
  return report ?? { status: 'starting' as const }
}

function indexed(points: readonly MetricPoint[]): ReadonlyMap<string, readonly MetricPoint[]> {
  const groups = new Map<string, MetricPoint[]>()
  for (const point of points) {
    const group = groups.get(point.name)
    if (group) group.push(point)
    else groups.set(point.name, [point])
  }
  return groups
}

/** Undefined when nothing of it was measured. */
function sum(points: ReadonlyMap<string, readonly MetricPoint[]>, name: string, of: Of): number | undefined {
  const fitting = points
    .get(name)
    ?.filter(({ labels }) => Object.entries(of).every(([label, wanted]) => labels[label] === wanted))
  return fitting && fitting.length > 0 ? fitting.reduce((total, { value }) => total + value, 0) : undefined
}

function without<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
}
