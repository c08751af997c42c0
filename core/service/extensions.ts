import { isDeepStrictEqual } from 'node:util'
import type {
  ConfigSchema,
  Extension,
  FlowObserver,
  Host,
  Logger,
  PipelinesInUse,
  Problem,
  StorageExtension,
  StorageProvider,
} from '../component/index.js'
import { errorText, PermanentError } from '../component/index.js'
import { settleAll, startFailed } from '../pipeline/lifecycle.js'
import type { ComponentPlan } from '../pipeline/plan.js'

export interface ExtensionsOptions {
  create(plan: ComponentPlan): MadeExtension
  readonly host: Host
  readonly logger: Logger
  report(id: string, status: 'starting' | 'started' | 'stopped'): void
}

export interface MadeExtension {
  readonly extension: Extension
  /** Lets go of what its context opened. */
  close(): Promise<void>
}

interface Running extends MadeExtension {
  readonly plan: ComponentPlan
}

/** The running extensions. Those whose configuration stays the same live through a reload: storage stays open. */
export class Extensions {
  readonly #running = new Map<string, Running>()

  constructor(private readonly options: ExtensionsOptions) {}

  get(id: string): Extension {
    const running = this.#running.get(id)
    if (!running) {
      throw new PermanentError(
        'unknown_extension',
        `The extension ${id} is not running: add it to service.extensions.`,
      )
    }
    return running.extension
  }

  storage(id: string): StorageProvider {
    const extension = this.get(id) as Extension & Partial<StorageExtension>
    if (!extension.storage) throw new PermanentError('no_storage', `The extension ${id} is not a storage.`)
    return extension.storage
  }

  /** All that are storages, in the order of the configuration. */
  storages(): readonly { readonly id: string; readonly storage: StorageProvider }[] {
    return [...this.#running].flatMap(([id, { extension }]) => {
      const { storage } = extension as Partial<StorageExtension>
      return storage ? [{ id, storage }] : []
    })
  }

  /** Of a configuration that is about to run. */
  observers(pipelines: PipelinesInUse): readonly FlowObserver[] {
    return [...this.#running.values()].flatMap(({ extension }) => extension.observe?.(pipelines) ?? [])
  }

  /** Tells them what is wrong with a configuration that does not come into force. */
  refused(problems: readonly Problem[]): void {
    for (const [id, { extension }] of this.#running)
      try {
        extension.refused?.(problems)
      } catch (error) {
        this.options.logger.warn('An extension failed on what it was told.', {
          extension: id,
          reason: errorText(error),
        })
      }
  }

  /**
   * Stops what is gone or changed, last first, and starts what is new, in order: one that names another starts after it, and
   * anew with it.
   */
  async switchTo(plans: ReadonlyMap<string, ComponentPlan>): Promise<void> {
    const stays = (id: string, asking: readonly string[] = []): boolean => {
      if (asking.includes(id)) return true
      const running = this.#running.get(id)
      const next = plans.get(id)
      if (!running || !next || !sameExtension(next, running.plan)) return false
      return needsOf(next).every(need => stays(need, [...asking, id]))
    }
    for (const [id, running] of [...this.#running].reverse().filter(([id]) => !stays(id))) {
      this.#running.delete(id)
      await this.#stop(id, running)
    }
    const start = async (id: string, waiting: ReadonlySet<string>): Promise<void> => {
      const plan = plans.get(id)
      if (!plan || this.#running.has(id) || waiting.has(id)) return
      for (const need of needsOf(plan)) await start(need, new Set([...waiting, id]))
      this.#running.set(id, await this.#start(id, plan))
    }
    for (const id of plans.keys()) await start(id, new Set())
  }

  async stop(): Promise<void> {
    await this.switchTo(new Map())
  }

  async #start(id: string, plan: ComponentPlan): Promise<Running> {
    const { create, report, host } = this.options
    const made = create(plan)
    report(id, 'starting')
    try {
      await made.extension.start?.(host)
    } catch (error) {
      report(id, 'stopped')
      await made.close()
      throw startFailed('extension', id, error)
    }
    report(id, 'started')
    return { plan, ...made }
  }

  /** One that does not stop must not keep the others running. */
  async #stop(id: string, { extension, close }: Running): Promise<void> {
    await settleAll([extension], one => one.stop?.(), this.options.logger)
    await close()
    this.options.report(id, 'stopped')
  }
}

/** The extensions that a configuration names, as its schema says. */
function needsOf({ config, factory }: ComponentPlan): readonly string[] {
  const named = (value: unknown, schema: ConfigSchema | undefined): readonly string[] => {
    if (typeof value === 'string') return schema?.component ? [value] : []
    if (Array.isArray(value)) return value.flatMap(item => named(item, schema?.items))
    if (typeof value !== 'object' || value === null) return []
    return Object.entries(value).flatMap(([key, one]) => named(one, schema?.properties?.[key]))
  }
  return named(config, factory.schema)
}

function sameExtension(a: ComponentPlan, b: ComponentPlan): boolean {
  return a.factory === b.factory && isDeepStrictEqual(a.config, b.config)
}
