import { resolve } from 'node:path'
import type { AnyFactory } from '../component/index.js'
import type { ComponentConfig, LoadedConfig, TelemetryConfig } from '../config/index.js'
import type { ComponentPlan } from '../pipeline/plan.js'
import type { MetricsSettings, ServiceSettings } from '../service/settings.js'

/** What the service runs of a loaded configuration. */
export function settingsOf({ config, baseDir, warnings, notes }: LoadedConfig): ServiceSettings {
  const { service } = config
  const extensions = plans(config.extensions)
  return {
    graph: {
      receivers: plans(config.receivers),
      processors: plans(config.processors),
      exporters: plans(config.exporters),
      connectors: plans(config.connectors),
      pipelines: new Map(Object.entries(service.pipelines)),
    },
    extensions: new Map(service.extensions.map(id => [id, extensions.get(id) as ComponentPlan])),
    logs: service.telemetry.logs,
    metrics: metricsSettings(service.telemetry.metrics, baseDir),
    ...tapSettings(service.telemetry.tap, baseDir),
    ...tracesSettings(service.telemetry.traces, baseDir),
    resource: service.telemetry.resource,
    shutdownTimeoutMs: service.shutdownTimeoutMs,
    baseDir,
    warnings,
    notes,
  }
}

function plans(components: { readonly [id: string]: ComponentConfig }): Map<string, ComponentPlan> {
  return new Map(
    Object.entries(components).map(([id, { config, factory }]) => [
      id,
      { id, config, factory: factory as AnyFactory },
    ]),
  )
}

/** The Collector's default address; there it is an error when it is taken, here only when it was asked for. */
function metricsSettings(
  { level, address, pushes }: TelemetryConfig['metrics'],
  baseDir: string,
): MetricsSettings {
  const [, host = '127.0.0.1', port = '8888'] = /^(.*):(\d+)$/.exec(address ?? '') ?? []
  return {
    level,
    host: host.replace(/^\[(.*)\]$/, '$1') || '0.0.0.0',
    port: Number(port),
    explicit: address !== undefined,
    pushes: pushes.map(push => inFolder(push, baseDir)),
  }
}

function tracesSettings(traces: TelemetryConfig['traces'], baseDir: string): Pick<ServiceSettings, 'traces'> {
  return traces ? { traces: { ...traces, exports: traces.exports.map(one => inFolder(one, baseDir)) } } : {}
}

function inFolder<T extends { readonly caFile?: string }>(target: T, baseDir: string): T {
  return target.caFile === undefined ? target : { ...target, caFile: resolve(baseDir, target.caFile) }
}

function tapSettings(
  { enabled, socket }: TelemetryConfig['tap'],
  baseDir: string,
): Pick<ServiceSettings, 'tap'> {
  return enabled ? { tap: { socket: socket === undefined ? undefined : resolve(baseDir, socket) } } : {}
}
