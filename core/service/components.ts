import type { Meter } from '@opentelemetry/api'
import {
  type Clock,
  type ComponentContext,
  type ComponentStatus,
  errorText,
  type Fence,
  isTocsinError,
  type Kind,
  type Listener,
  type LogAttributes,
  type Logger,
  PermanentError,
  type Random,
  type StorageProvider,
} from '../component/index.js'
import { oncePerMinute } from '../component/minute-log.js'
import { checkMade } from '../pipeline/check-made.js'
import type { ComponentPlan } from '../pipeline/plan.js'
import type { MemoryStorage } from '../state/memory-state.js'
import { type ScopedMeter, scopedMeter } from '../telemetry/scoped-meter.js'
import type { Extensions } from './extensions.js'
import type { Listeners } from './listeners.js'
import type { StatusBoard } from './status.js'

export interface ComponentsOptions {
  readonly logger: { child(attributes: LogAttributes): Logger }
  readonly meter: Meter
  readonly clock: Clock
  readonly random: Random
  readonly listeners: Listeners
  readonly memory: MemoryStorage
  readonly status: StatusBoard
  readonly extensions: () => Extensions
}

export interface CreateOptions {
  /** Without its lease the component cannot write to its storage. */
  readonly fence?: Fence
  /** Told what it says of itself, in place of the status board. */
  readonly onStatus?: (status: ComponentStatus) => void
}

/** Creates components and hands each its context; lets go of what their contexts opened. */
export class Components {
  readonly #meters: ScopedMeter[] = []
  readonly #listeners = new Set<Listener>()
  readonly #sparing: { close(): void }[] = []
  readonly #parts = new Set<Components>()
  /** The memory namespaces in use, to forget the others after a reload. */
  readonly namespaces = new Set<string>()

  constructor(
    private readonly options: ComponentsOptions,
    private readonly baseDir: string,
    private readonly onClosed: () => void = () => {},
    /** What components of one type share, by the type and their key. */
    private readonly inCommon = new Map<string, unknown>(),
  ) {}

  /** Of a component that comes and goes within the graph: close it with the component; what is left closes with the others. */
  part(): Components {
    const onClosed = (): unknown => this.#parts.delete(part)
    const part: Components = new Components(this.options, this.baseDir, onClosed, this.inCommon)
    this.#parts.add(part)
    return part
  }

  /** Ends with the components. */
  meter(): Meter {
    const scoped = scopedMeter(this.options.meter)
    this.#meters.push(scoped)
    return scoped.meter
  }

  create<C>(kind: Kind, plan: ComponentPlan, pipelines: readonly string[], more: CreateOptions = {}): C {
    const context = this.#context(kind, plan, pipelines, more)
    try {
      const made = plan.factory.create(context)
      checkMade(kind, made)
      return made as C
    } catch (error) {
      if (isTocsinError(error)) throw error
      throw new PermanentError(
        'create_failed',
        `The ${kind} ${plan.id} could not be made: ${errorText(error)}`,
        {
          cause: error,
        },
      )
    }
  }

  /** A storage extension by id, or memory. */
  provider(storage: string | undefined): StorageProvider {
    return storage === undefined ? this.options.memory : this.options.extensions().storage(storage)
  }

  /** Ends what the components observed and listened on. */
  async close(): Promise<void> {
    for (const sparing of this.#sparing.splice(0)) sparing.close()
    for (const meter of this.#meters.splice(0)) meter.close()
    await Promise.all([...this.#listeners].map(listener => listener.release()))
    this.#listeners.clear()
    await Promise.all([...this.#parts].map(part => part.close()))
    this.onClosed()
  }

  #context(
    kind: Kind,
    plan: ComponentPlan,
    pipelines: readonly string[],
    { fence, onStatus }: CreateOptions,
  ): ComponentContext<object> {
    const { logger, clock, random, listeners, status, extensions } = this.options
    const pipeline = kind === 'processor' ? pipelines[0] : undefined
    const namespace = namespaceOf(kind, plan.id, pipeline)
    this.namespaces.add(namespace)
    const own = logger.child({ kind, component: plan.id, ...(pipeline !== undefined && { pipeline }) })
    const sparing = oncePerMinute(own, clock)
    this.#sparing.push(sparing)
    return {
      id: plan.id,
      ...(pipeline !== undefined && { pipeline }),
      config: plan.config,
      logger: own,
      oncePerMinute: sparing,
      meter: this.meter(),
      clock,
      random,
      baseDir: this.baseDir,
      storage: id => this.provider(id).keyValue(namespace, fence),
      extension: <T>(id: string) => extensions().get(id) as T,
      shared: (key, make) => this.#shared(`${kind}/${plan.factory.type}/${key}`, make),
      listen: async where => {
        const listener = await listeners.listen(where)
        this.#listeners.add(listener)
        return listener
      },
      reportStatus: onStatus ?? (report => status.set({ kind, id: plan.id, pipelines }, report)),
    }
  }

  #shared<T>(key: string, make: () => T): T {
    if (!this.inCommon.has(key)) this.inCommon.set(key, make())
    return this.inCommon.get(key) as T
  }
}

export function namespaceOf(kind: Kind, id: string, pipeline?: string): string {
  return `${pipeline ?? kind}/${id}`
}
