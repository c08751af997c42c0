import {
  type Clock,
  type ComponentReport,
  type ComponentStatus,
  formatRfc3339,
  type Kind,
  type PipelineStatus,
  type ServiceStatus,
} from '../component/index.js'

/** From best to worst: the status of a pipeline is that of its worst component. */
const WORST: readonly ComponentReport['status'][] = [
  'ok',
  'stopped',
  'stopping',
  'starting',
  'recoverable_error',
  'permanent_error',
  'fatal_error',
]

export interface StatusKey {
  readonly kind: Kind
  readonly id: string
  /** The pipelines that the component is part of; none for an extension. */
  readonly pipelines: readonly string[]
}

/** What every component last said of itself. */
export class StatusBoard {
  readonly #reports = new Map<string, { readonly key: StatusKey; report: ComponentReport }>()
  readonly #startedAt: bigint
  /** Of the service: what its components say counts only while it runs. */
  phase: 'starting' | 'running' | 'stopping' = 'starting'

  constructor(
    private readonly clock: Clock,
    private readonly version: string,
  ) {
    this.#startedAt = clock.now()
  }

  set(key: StatusKey, { status, message }: ComponentStatus): void {
    const name = nameOf(key)
    const known = this.#reports.get(name)
    if (known?.report.status === status && known.report.message === message) return
    const since = known?.report.status === status ? known.report.since : formatRfc3339(this.clock.now())
    this.#reports.set(name, { key, report: { status, since, ...(message !== undefined && { message }) } })
  }

  /** A component that said nothing of itself while it started is well. */
  started(key: StatusKey): void {
    const status = this.#reports.get(nameOf(key))?.report.status
    if (status === undefined || status === 'starting') this.set(key, { status: 'ok' })
  }

  forget(key: StatusKey): void {
    this.#reports.delete(nameOf(key))
  }

  /** Forgets the components of pipelines: before the graph of a reload reports. */
  clearPipelines(): void {
    for (const [name, { key }] of this.#reports) if (key.kind !== 'extension') this.#reports.delete(name)
  }

  status(): ServiceStatus {
    const pipelines: { [id: string]: PipelineStatus } = {}
    const extensions: { [id: string]: ComponentReport } = {}
    for (const { key, report } of this.#reports.values()) {
      if (key.kind === 'extension') extensions[key.id] = report
      for (const id of key.pipelines) {
        const components = { ...pipelines[id]?.components, [`${key.kind}:${key.id}`]: report }
        pipelines[id] = {
          status: worst(Object.values(components).map(component => component.status)),
          components,
        }
      }
    }
    const all = [...Object.values(pipelines), ...Object.values(extensions)]
    return {
      status: this.phase === 'running' ? worst(all.map(({ status }) => status)) : this.phase,
      startedAt: this.#startedAt,
      version: this.version,
      pipelines,
      extensions,
    }
  }
}

function nameOf({ kind, id, pipelines }: StatusKey): string {
  return `${kind}:${id}:${kind === 'processor' ? pipelines[0] : ''}`
}

function worst(statuses: readonly ComponentReport['status'][]): ComponentReport['status'] {
  return WORST[Math.max(0, ...statuses.map(status => WORST.indexOf(status)))] ?? 'ok'
}
