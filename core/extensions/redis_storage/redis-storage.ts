import {
  type ComponentContext,
  durationMs,
  type Extension,
  PermanentError,
  partitionedState,
  partMaxKeys,
  type RedisCommands,
  type RedisExtension,
  redisLease,
  type ShadowedState,
  type StateOptions,
  type StateStore,
  type StorageExtension,
  type StorageProvider,
  shadowedState,
} from 'tocsin/component'
import type { RedisStorageConfig } from './config.js'
import { type Connection, connect } from './connection.js'
import { evictionPolicy } from './eviction.js'
import { Health } from './health.js'
import { redisKeyValue } from './redis-key-value.js'
import { redisState } from './redis-state.js'

/** Fixed for all time: the partition of a key must be the same for every collector and every version. */
const PARTITIONS = 64

/** The `redis_storage` extension: state and checkpoints in Redis. */
export class RedisStorage implements Extension, StorageExtension, RedisExtension {
  readonly storage: StorageProvider
  readonly #config: RedisStorageConfig
  readonly #context: ComponentContext<RedisStorageConfig>
  readonly #health: Health
  readonly #shadows: ShadowedState<unknown>[] = []
  #connection: Connection | undefined
  #warnedOf = ''

  constructor(config: RedisStorageConfig, context: ComponentContext<RedisStorageConfig>) {
    this.#config = config
    this.#context = context
    this.#health = new Health(context)
    const connection = () => this.#connected()
    const name = (namespace: string, part: string) => `${config.prefix}:{${escapeTag(namespace)}/${part}}`
    const where = (config.endpoints ?? [config.endpoint ?? 'the default endpoint']).join(', ')
    this.storage = {
      description: `in Redis (${config.mode}, ${where}): shared by all collectors with the prefix "${config.prefix}"`,
      shared: true,
      keyValue: (namespace, fence) => redisKeyValue(connection, name(namespace, 'kv'), fence),
      lease: namespace => redisLease(connection, name(namespace, 'kv'), durationMs(config.lease_ttl)),
      state: <S>(namespace: string, options: StateOptions<S>) =>
        this.#state(options, part => name(namespace, `${part}`)),
    }
  }

  get redis(): RedisCommands {
    return this.#connected()
  }

  async start(): Promise<void> {
    this.#connection = await connect(this.#config, this.#context, {
      connected: () => {
        this.#health.connected()
        if (this.#connection) void this.#checkEviction(this.#connection)
      },
      failed: error => this.#health.failed(error),
    })
    void this.#checkEviction(this.#connection)
  }

  async stop(): Promise<void> {
    for (const shadow of this.#shadows) shadow.close()
    this.#connection?.close()
    this.#connection = undefined
  }

  /** Redis forgets without a word: said beforehand, once for each policy. */
  async #checkEviction(connection: Connection): Promise<void> {
    const policy = await evictionPolicy(connection)
    if (policy === undefined || policy === this.#warnedOf) return
    this.#warnedOf = policy
    this.#context.logger.warn(
      'Redis may forget alert state when its memory is full: set maxmemory-policy noeviction.',
      { maxmemory_policy: policy },
    )
  }

  #state<S>(
    { codec, maxKeys, merge, onTrouble }: StateOptions<S>,
    name: (part: number) => string,
  ): StateStore<S> {
    const { clock, random } = this.#context
    const most = partMaxKeys(maxKeys, PARTITIONS)
    const parts = Array.from({ length: PARTITIONS }, (_, part) => {
      const remote = redisState(() => this.#connected(), name(part), { codec, maxKeys: most })
      const circuit = Symbol(name(part))
      const shadow = shadowedState(remote, {
        clock,
        random,
        maxKeys: most,
        merge,
        onTrouble: error => {
          if (error) onTrouble?.(error)
          this.#health.circuit(circuit, error)
        },
      })
      this.#shadows.push(shadow)
      return shadow
    })
    return partitionedState(parts)
  }

  #connected(): Connection {
    if (this.#connection) return this.#connection
    throw new PermanentError(
      'storage_closed',
      'Redis is used before the extension started, or after it stopped.',
    )
  }
}

/** What stands between braces decides the slot: a namespace must not end it early. */
function escapeTag(namespace: string): string {
  return namespace.replace(/[%{}]/g, encodeURIComponent)
}
