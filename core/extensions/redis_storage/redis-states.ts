import type { ComponentContext, StateOptions, StateStore } from 'tocsin/component'
import { partitionedState, partMaxKeys, type StateWithOutageCopy, withOutageCopy } from '#state'
import type { Connection } from './connection.js'
import type { Health } from './health.js'
import { redisState } from './redis-state.js'

/** Fixed for all time: the partition of a key must be the same for every collector and every version. */
const PARTITIONS = 64

interface Namespace {
  readonly store: StateStore<unknown>
  /** Of the component that asked last. */
  readonly current: { options: StateOptions<unknown> }
  readonly parts: readonly StateWithOutageCopy<unknown>[]
}

/**
 * The states of the namespaces. Each is made once: a reload of the configuration makes components anew, and they go on
 * with the local copy, which may know what Redis has not heard yet.
 */
export class RedisStates {
  readonly #namespaces = new Map<string, Namespace>()

  constructor(
    private readonly connection: () => Connection,
    private readonly context: Pick<ComponentContext<unknown>, 'clock' | 'random' | 'logger'>,
    private readonly health: Health,
  ) {}

  /** `name`: of a partition, in Redis. */
  of<S>(namespace: string, options: StateOptions<S>, name: (part: number) => string): StateStore<S> {
    const known = this.#namespaces.get(namespace)
    // Names hold the component's type or id: what comes again has the same states.
    const given = options as unknown as StateOptions<unknown>
    if (known) known.current.options = given
    const { store } = known ?? this.#create(namespace, given, name)
    return store as StateStore<S>
  }

  close(): void {
    for (const { parts } of this.#namespaces.values()) for (const part of parts) part.close()
  }

  #create(namespace: string, options: StateOptions<unknown>, name: (part: number) => string): Namespace {
    const current = { options }
    let warned = false
    const onUnreadable = (): void => {
      if (warned) return
      warned = true
      const message = 'State that cannot be read counts as none: another version wrote it.'
      this.context.logger.warn(message, { namespace })
    }
    const parts = Array.from({ length: PARTITIONS }, (_, part) =>
      this.#part(name(part), current, onUnreadable),
    )
    const made = { current, parts, store: partitionedState(parts) }
    this.#namespaces.set(namespace, made)
    return made
  }

  #part(name: string, current: Namespace['current'], onUnreadable: () => void): StateWithOutageCopy<unknown> {
    const { clock, random } = this.context
    const circuit = Symbol(name)
    const options = {
      clock,
      random,
      onUnreadable,
      get codec() {
        return current.options.codec
      },
      get maxKeys() {
        return partMaxKeys(current.options.maxKeys, PARTITIONS)
      },
      get merge() {
        return current.options.merge
      },
      onRestored: (keys: number) => this.health.restored(keys),
      onTrouble: (error: Error | undefined) => {
        if (error) current.options.onTrouble?.(error)
        this.health.circuit(circuit, error)
      },
    }
    return withOutageCopy(redisState(this.connection, name, options), options)
  }
}
