import { durationMs } from '../component/units.js'
import { type Catalog, SECTIONS } from './catalog.js'
import { checkValue } from './check-value.js'
import type { Defined } from './components.js'
import { checkConnectors } from './connectors.js'
import type { Findings } from './findings.js'
import { emptyMap, type MapNode, type Node } from './node.js'
import { checkPipelines, type DefinedByKind, references, reportUndefined, resolve } from './pipelines.js'
import { SERVICE_SCHEMA } from './service-schema.js'
import type {
  MetricsPush,
  OtlpTarget,
  PipelineConfig,
  ServiceConfig,
  TelemetryConfig,
  TracesConfig,
} from './types.js'
import type { Validator } from './validator.js'

interface RawService {
  readonly shutdown_timeout: string
  readonly telemetry: {
    readonly logs: {
      readonly level: TelemetryConfig['logs']['level']
      readonly encoding?: 'console' | 'json'
    }
    readonly metrics: {
      readonly level: TelemetryConfig['metrics']['level']
      readonly address?: string
      readonly readers?: readonly RawReader[]
    }
    readonly traces?: RawTraces
    readonly tap: TelemetryConfig['tap']
    readonly resource: {
      readonly [name: string]:
        | Attribute
        | readonly { name: string; value?: Attribute }[]
        | { [name: string]: Attribute }
    }
  }
}

type Attribute = string | number | boolean | null | readonly unknown[]

interface RawReader {
  readonly pull?: { readonly exporter: { readonly prometheus: { host: string; port: number } } }
  readonly periodic?: {
    readonly interval: number
    readonly timeout: number
    readonly exporter: RawExporter
  }
}

interface RawTraces {
  readonly level: TelemetryConfig['metrics']['level']
  readonly processors?: readonly {
    readonly batch?: {
      readonly schedule_delay: number
      readonly export_timeout: number
      readonly max_queue_size: number
      readonly max_export_batch_size: number
      readonly exporter: RawExporter
    }
    readonly simple?: { readonly exporter: RawExporter }
  }[]
  readonly sampler?: RawSampler
}

interface RawSampler {
  readonly always_on?: unknown
  readonly always_off?: unknown
  readonly trace_id_ratio_based?: { readonly ratio: number }
  readonly parent_based?: { readonly root?: RawSampler }
}

type RawExporter = { readonly [name in 'otlp' | 'otlp_http' | 'otlp_grpc']?: RawOtlp }

interface RawOtlp {
  readonly protocol: string
  readonly endpoint: string
  readonly headers?: { readonly [name: string]: string } | readonly { name: string; value?: string | null }[]
  readonly compression: 'gzip' | 'none'
  readonly timeout: number
  readonly insecure?: boolean
  readonly certificate?: string
  readonly tls?: { readonly insecure?: boolean; readonly ca_file?: string }
}

export interface CheckedService {
  readonly node: Node
  /** Undefined when the section itself has problems. */
  readonly service: ServiceConfig['service'] | undefined
}

/** Validates `service`, and all references between components. */
export function checkService(
  root: MapNode,
  defined: DefinedByKind,
  catalog: Catalog,
  validator: Validator,
  findings: Findings,
): CheckedService {
  const entry = root.entries.get('service')
  if (!entry) {
    findings.error(
      root.place,
      ['service'],
      'the section "service" is missing',
      'add service.pipelines.logs with receivers and exporters',
    )
    return { node: emptyMap(root.place), service: undefined }
  }
  const { node, value, problems } = checkValue(entry.value, entry.key, ['service'], SERVICE_SCHEMA, validator)
  findings.problems.push(...problems)
  const extensions = references(
    { key: entry.key, value: node },
    ['service', 'extensions'],
    ['extension'],
    defined,
    catalog,
    findings,
  )
  const given = node.kind === 'map' ? node.entries.get('pipelines') : undefined
  const noPipelines = 'add service.pipelines.logs with receivers and exporters'
  let pipelines: { readonly [id: string]: PipelineConfig } = {}
  if (node.kind === 'map' && !given)
    findings.error(entry.key, ['service'], 'there are no pipelines', noPipelines)
  if (given?.value.kind === 'map') {
    if (given.value.entries.size === 0)
      findings.error(given.key, ['service', 'pipelines'], 'there are no pipelines', noPipelines)
    const checked = checkPipelines(given.value, defined, catalog, findings)
    pipelines = checked.pipelines
    checkConnectors(pipelines, defined.connector, defined.receiver, defined.exporter, findings)
    checkSole(checked.used, findings)
    warnUnused(defined, new Set([...checked.used, ...extensions]), findings)
  }
  checkNeeds(defined, new Set(extensions), catalog, findings)
  if (value === undefined) return { node, service: undefined }
  const { telemetry, shutdown_timeout } = value as RawService
  return {
    node,
    service: {
      extensions: extensions.map(extension => extension.id),
      pipelines,
      shutdownTimeoutMs: durationMs(shutdown_timeout),
      telemetry: telemetryConfig(telemetry),
    },
  }
}

/** What a process has once would come to each of its receivers in parts. */
function checkSole(used: ReadonlySet<Defined>, findings: Findings): void {
  const readers = new Map<string, Defined>()
  for (const one of used) {
    const { sole } = (one.component?.factory ?? {}) as { readonly sole?: string }
    if (sole === undefined) continue
    const first = readers.get(sole)
    if (!first) readers.set(sole, one)
    else
      findings.error(
        one.key,
        [one.section, one.id],
        `"${first.id}" reads ${sole} already, and each of the two would get a part of it`,
        `name "${first.id}" in every pipeline that wants it, and remove "${one.id}"`,
      )
  }
}

function telemetryConfig({ logs, metrics, traces, tap, resource }: RawService['telemetry']): TelemetryConfig {
  const readers = metrics.readers ?? []
  const prometheus = readers.find(reader => reader.pull)?.pull?.exporter.prometheus
  const host = prometheus?.host.includes(':') ? `[${prometheus.host}]` : prometheus?.host
  return {
    logs: { level: logs.level, encoding: logs.encoding },
    metrics: {
      level: metrics.level,
      address: prometheus ? `${host}:${prometheus.port}` : metrics.address,
      pushes: readers.flatMap(reader => (reader.periodic ? pushesOf(reader.periodic) : [])),
    },
    tap,
    traces: traces && tracesOf(traces),
    resource: resourceOf(resource),
  }
}

function pushesOf({ interval, timeout, exporter }: NonNullable<RawReader['periodic']>): MetricsPush[] {
  return targetsOf(exporter, timeout).map(target => ({ ...target, intervalMs: interval }))
}

/** Undefined where nothing is traced. What the collector does has no parent: of parent_based the root counts. */
function tracesOf({ level, processors = [], sampler }: RawTraces): TracesConfig | undefined {
  const exports = processors.flatMap(({ batch, simple }) => {
    if (simple) return targetsOf(simple.exporter)
    if (!batch) return []
    const { schedule_delay, max_queue_size, max_export_batch_size } = batch
    const kept = { delayMs: schedule_delay, maxQueue: max_queue_size, maxSize: max_export_batch_size }
    return targetsOf(batch.exporter, batch.export_timeout).map(target => ({ ...target, batch: kept }))
  })
  const ratio = ratioOf(sampler)
  return level === 'none' || exports.length === 0 || ratio === 0 ? undefined : { exports, ratio }
}

function ratioOf(sampler: RawSampler | undefined): number {
  if (sampler?.parent_based) return ratioOf(sampler.parent_based.root)
  if (sampler?.always_off !== undefined) return 0
  return sampler?.trace_id_ratio_based?.ratio ?? 1
}

/** One, or none where the exporter is one that we have not. */
function targetsOf(exporter: RawExporter, timeoutMs = Number.POSITIVE_INFINITY): OtlpTarget[] {
  const otlp = exporter.otlp ?? exporter.otlp_http ?? exporter.otlp_grpc
  if (!otlp) return []
  const list = Array.isArray(otlp.headers)
    ? otlp.headers.map(({ name, value }) => [name, value ?? ''] as const)
    : Object.entries(otlp.headers ?? {})
  const ca = otlp.certificate ?? otlp.tls?.ca_file
  const target = {
    timeoutMs: Math.min(timeoutMs, otlp.timeout),
    protocol: exporter.otlp_grpc || /^grpc/.test(otlp.protocol) ? 'grpc' : 'http',
    endpoint: otlp.endpoint,
    headers: Object.fromEntries(list),
    gzip: otlp.compression === 'gzip',
    insecure: otlp.insecure ?? otlp.tls?.insecure ?? false,
    ...(ca !== undefined && { caFile: ca }),
  } as const
  return [target]
}

/** Null drops an attribute, such as one that this product sets itself. */
function resourceOf(raw: RawService['telemetry']['resource']): TelemetryConfig['resource'] {
  const { attributes, ...others } = raw
  const listed = Array.isArray(attributes)
    ? attributes.map(({ name, value }) => [name, value ?? null] as const)
    : Object.entries(attributes ?? {})
  return Object.fromEntries(
    [...listed, ...Object.entries(others)].map(([name, value]) => [
      name,
      value === null ? null : Array.isArray(value) ? value.join(',') : String(value),
    ]),
  )
}

/** A component that names an extension needs it defined and started. */
function checkNeeds(
  defined: DefinedByKind,
  started: ReadonlySet<Defined>,
  catalog: Catalog,
  findings: Findings,
): void {
  for (const [, kind] of SECTIONS)
    for (const { needs } of defined[kind].values())
      for (const { id, place, path } of needs) {
        const extension = resolve(id, ['extension'], defined, catalog)
        if (!extension) reportUndefined(id, ['extension'], place, path, defined, catalog, findings)
        else if (!started.has(extension))
          findings.error(
            place,
            path,
            `the extension "${id}" is not started`,
            `add "${id}" to service.extensions`,
          )
      }
}

/** An extension that service.extensions leaves out is switched off, as in the Collector: that is no mistake. */
function warnUnused(defined: DefinedByKind, used: ReadonlySet<Defined>, findings: Findings): void {
  for (const [section, kind] of SECTIONS) {
    if (kind === 'extension') continue
    for (const one of defined[kind].values()) {
      if (used.has(one)) continue
      const message = `the ${kind} "${one.id}" is in no pipeline`
      findings.warning(
        one.key,
        [section, one.id],
        message,
        'add it to a pipeline, or remove it',
        'unused-component',
      )
    }
  }
}
