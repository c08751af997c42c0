import { isDeepStrictEqual } from 'node:util'
import type { Extension, Host, StorageExtension, StorageProvider } from '../component/index.js'
import { PermanentError } from '../component/index.js'
import type { ComponentPlan } from '../graph/plan.js'

interface Running {
  readonly plan: ComponentPlan
  readonly extension: Extension
}

/** The running extensions. Those whose configuration stays the same live through a reload: storage stays open. */
export class Extensions {
  readonly #running = new Map<string, Running>()

  constructor(
    private readonly create: (plan: ComponentPlan) => Extension,
    private readonly host: Host,
    private readonly report: (id: string, status: 'starting' | 'started' | 'gone') => void = () => undefined,
  ) {}

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

  /** Stops what is gone or changed, last first, and starts what is new, in order. */
  async switchTo(plans: ReadonlyMap<string, ComponentPlan>): Promise<void> {
    for (const [id, running] of [...this.#running].reverse()) {
      const next = plans.get(id)
      if (next && sameExtension(next, running.plan)) continue
      this.#running.delete(id)
      await running.extension.stop?.()
      this.report(id, 'gone')
    }
    for (const [id, plan] of plans) {
      if (this.#running.has(id)) continue
      const extension = this.create(plan)
      this.report(id, 'starting')
      await extension.start?.(this.host)
      this.report(id, 'started')
      this.#running.set(id, { plan, extension })
    }
  }

  async stop(): Promise<void> {
    await this.switchTo(new Map())
  }
}

function sameExtension(a: ComponentPlan, b: ComponentPlan): boolean {
  return a.factory === b.factory && isDeepStrictEqual(a.config, b.config)
}
