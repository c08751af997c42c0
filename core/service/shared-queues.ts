import type { StorageProvider } from '../component/index.js'
import type { SharedQueue, SharedQueueOptions } from './shared-queue.js'

/** The queues that live in shared storages. They outlive a reload: their leases are kept. */
export class SharedQueues {
  readonly #queues = new Map<string, SharedQueue>()
  #used = new Set<string>()

  constructor(
    private readonly create: (options: Pick<SharedQueueOptions, 'exporter' | 'storage'>) => SharedQueue,
  ) {}

  /** The queue of an exporter; undefined where the storage has no leases, because nobody shares it. */
  open(exporter: string, storage: StorageProvider): SharedQueue | undefined {
    if (!storage.lease) return undefined
    let queue = this.#queues.get(exporter)
    if (queue && queue.storage !== storage) {
      // The storage was configured anew: what is left is taken over as that of any other collector.
      void queue.close()
      queue = undefined
    }
    queue ??= this.create({ exporter, storage })
    this.#queues.set(exporter, queue)
    this.#used.add(exporter)
    return queue
  }

  /** Closes those that nobody opened since the last time. */
  async retain(): Promise<void> {
    const used = this.#used
    this.#used = new Set()
    for (const [exporter, queue] of this.#queues) {
      if (used.has(exporter)) continue
      this.#queues.delete(exporter)
      await queue.close()
    }
  }

  async close(): Promise<void> {
    this.#used.clear()
    await this.retain()
  }
}
