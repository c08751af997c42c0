import { randomUUID } from 'node:crypto'
import type { Meter } from '@opentelemetry/api'
import {
  type Clock,
  errorText,
  type KeyValueStore,
  type LeaseStore,
  type Logger,
  type Random,
  type StorageProvider,
} from '../component/index.js'
import { type Delivery, dropQueued, moveQueue, queueNamespace } from '../delivery/index.js'
import { LeaseKeeper, type LeaseTerm, observeLease } from '../state/index.js'

export interface SharedQueueOptions {
  readonly exporter: string
  readonly storage: StorageProvider
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
}

interface Adopting {
  readonly stop: AbortController
  readonly done: Promise<void>
}

/** Queues of collectors that are gone, looked at in one round. */
const MOST_QUEUES = 1_000
const RETRY_MS = 500

/**
 * The durable queue of an exporter in a storage that other collectors share. Each collector has its own, under a lease;
 * a queue whose lease ran out is taken over, entry by entry, by a collector that runs the same exporter.
 */
export class SharedQueue {
  readonly store: KeyValueStore
  readonly storage: StorageProvider
  readonly #options: SharedQueueOptions
  readonly #own = randomUUID()
  readonly #registry: KeyValueStore
  readonly #keeper: LeaseKeeper
  readonly #closed = new AbortController()
  readonly #unobserve: () => void
  readonly #ready: Promise<unknown>
  #open: () => void = () => undefined
  #token: number | undefined
  #adopting: Adopting | undefined

  constructor(options: SharedQueueOptions) {
    const { exporter, storage, clock, random, logger, meter } = options
    this.#options = options
    this.storage = storage
    this.#registry = storage.keyValue(registryNamespace(exporter))
    const opened = new Promise<void>(resolve => {
      this.#open = resolve
    })
    this.#keeper = new LeaseKeeper(storage.lease?.(this.#namespace(this.#own)) as LeaseStore, {
      clock,
      random,
      onHeld: term => void this.#register(term),
      onLost: () => {
        this.#token = undefined
        if (this.#closed.signal.aborted) return
        logger.warn('The lease of the queue is lost: another collector may send what is in it too.')
      },
    })
    // Without the storage nobody waits for it here: the queue tries again by itself.
    this.#ready = this.#keeper.start().then(held => (held ? opened : undefined))
    const kept = storage.keyValue(this.#namespace(this.#own), () =>
      this.#keeper.term ? this.#token : undefined,
    )
    this.store = {
      get: key => kept.get(key),
      range: (from, to, limit) => kept.range(from, to, limit),
      write: async changes => {
        await this.#ready
        await kept.write(changes)
      },
    }
    this.#unobserve = observeLease(meter, `queue/${exporter}`, () => this.#keeper.term !== undefined)
  }

  /** From now on takes over what collectors that are gone left for this exporter. */
  adoptInto(delivery: Delivery): void {
    const stop = new AbortController()
    this.#adopting = { stop, done: this.#adopt(delivery, stop.signal) }
  }

  /** Before the delivery stops: takes over nothing more. Await `adopted` after it stopped. */
  stopAdopting(): void {
    this.#adopting?.stop.abort()
  }

  /** What waits for room in the queue is in it, or stays where it was. */
  async adopted(): Promise<void> {
    await this.#adopting?.done
  }

  /** Leaves what is in the queue to others. */
  async close(): Promise<void> {
    this.#closed.abort()
    this.stopAdopting()
    await this.adopted()
    try {
      const [left] = await this.store.range('', '\uffff', 1)
      if (!left) await this.#registry.write([{ key: this.#own, value: undefined }])
    } catch {
      // Then somebody finds it empty.
    }
    await this.#keeper.close()
    this.#unobserve()
  }

  #namespace(instance: string): string {
    return instanceNamespace(this.#options.exporter, instance)
  }

  /** Nothing is written to a queue that others could not find. */
  async #register(term: LeaseTerm): Promise<void> {
    const { clock } = this.#options
    while (!term.signal.aborted) {
      try {
        await this.#enter()
        if (!term.signal.aborted) this.#token = term.token
        return this.#open()
      } catch {
        await clock.sleep(RETRY_MS, term.signal)
      }
    }
    this.#open()
  }

  #enter(): Promise<void> {
    const value = Buffer.from(JSON.stringify({ since: this.#options.clock.now().toString() }))
    return this.#registry.write([{ key: this.#own, value }])
  }

  async #adopt(delivery: Delivery, stop: AbortSignal): Promise<void> {
    const { clock, random, logger, storage } = this.#options
    const ttlMs = (): number => storage.lease?.(this.#namespace(this.#own)).ttlMs ?? RETRY_MS
    await this.#ready
    while (!stop.aborted) {
      try {
        // One that took this queue over while its lease was lost may have struck it off late.
        if (this.#token !== undefined && !(await this.#registry.get(this.#own))) await this.#enter()
        for (const [instance] of await this.#registry.range('', '\uffff', MOST_QUEUES)) {
          if (instance === this.#own || stop.aborted) continue
          await this.#takeOver(instance, delivery, stop)
        }
      } catch (error) {
        logger.debug('Queues of other collectors could not be looked at.', { reason: errorText(error) })
      }
      await clock.sleep((ttlMs() / 2) * (1 + random()), stop)
    }
  }

  async #takeOver(instance: string, delivery: Delivery, stop: AbortSignal): Promise<void> {
    const { storage, clock, random, logger } = this.#options
    const namespace = this.#namespace(instance)
    const keeper = new LeaseKeeper(storage.lease?.(namespace) as LeaseStore, { clock, random })
    try {
      if (!(await keeper.start())) return
      const left = storage.keyValue(namespace, () => keeper.term?.token)
      const requests = await moveQueue(left, delivery, { clock, logger, stop })
      if (stop.aborted || !keeper.term) return
      await this.#registry.write([{ key: instance, value: undefined }])
      if (requests > 0) logger.info('Took over the queue of a collector that is gone.', { requests })
    } finally {
      await keeper.close()
    }
  }
}

/** Removes what collectors that are gone left for an exporter; a queue in use stays. How many requests there were. */
export async function dropSharedQueues(storage: StorageProvider, exporter: string): Promise<number> {
  const registry = storage.keyValue(registryNamespace(exporter))
  let count = 0
  for (const [instance] of await registry.range('', '\uffff', MOST_QUEUES)) {
    const namespace = instanceNamespace(exporter, instance)
    const lease = storage.lease?.(namespace)
    const holder = randomUUID()
    const taken = await lease?.take(holder)
    if (!lease || !taken?.held) continue
    try {
      count += await dropQueued(storage.keyValue(namespace, () => taken.token))
      await registry.write([{ key: instance, value: undefined }])
    } finally {
      await lease.free(holder)
    }
  }
  return count
}

/** Which collectors have a queue for an exporter. */
function registryNamespace(exporter: string): string {
  return `queues/${exporter}`
}

function instanceNamespace(exporter: string, instance: string): string {
  return `${queueNamespace(exporter)}/${instance}`
}
