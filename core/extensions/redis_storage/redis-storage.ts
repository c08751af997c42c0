import {
  type ComponentContext,
  durationMs,
  type Extension,
  PermanentError,
  type StateOptions,
  type StorageExtension,
  type StorageProvider,
} from 'tocsin/component'
import { type RedisCommands, type RedisExtension, redisLease } from '#state'
import type { RedisStorageConfig } from './config.js'
import { type Connection, connect } from './connection.js'
import { evictionPolicy } from './eviction.js'
import { Health } from './health.js'
import { Marker } from './marker.js'
import { redisKeyValue } from './redis-key-value.js'
import { RedisStates } from './redis-states.js'

/** The `redis_storage` extension: state and checkpoints in Redis. */
export class RedisStorage implements Extension, StorageExtension, RedisExtension {
  readonly storage: StorageProvider
  readonly #config: RedisStorageConfig
  readonly #context: ComponentContext<RedisStorageConfig>
  readonly #health: Health
  readonly #states: RedisStates
  readonly #marker: Marker
  #connection: Connection | undefined
  #warnedOf = ''

  constructor(context: ComponentContext<RedisStorageConfig>) {
    const { config } = context
    this.#config = config
    this.#context = context
    this.#health = new Health(context)
    const connection = () => this.#connected()
    const onLost = (): void => this.#health.lost()
    this.#marker = new Marker(context, { connection, prefix: config.prefix, onLost })
    this.#states = new RedisStates(connection, context, this.#health)
    const name = (namespace: string, part: string) => `${config.prefix}:{${escapeTag(namespace)}/${part}}`
    const where = (config.endpoints ?? [config.endpoint ?? 'the default endpoint']).join(', ')
    this.storage = {
      description: `in Redis (${config.mode}, ${where}): shared by all collectors with the prefix "${config.prefix}"`,
      shared: true,
      keyValue: (namespace, fence) => redisKeyValue(connection, name(namespace, 'kv'), fence),
      lease: namespace => redisLease(connection, name(namespace, 'kv'), durationMs(config.lease_ttl)),
      state: <S>(namespace: string, options: StateOptions<S>) =>
        this.#states.of(namespace, options, part => name(namespace, `${part}`)),
    }
  }

  get redis(): RedisCommands {
    return this.#connected()
  }

  async start(): Promise<void> {
    await this.#connect(connection => this.#greet(connection))
  }

  /** Without the marker, which would be a write. */
  async attach(): Promise<void> {
    await this.#connect(() => undefined)
  }

  async #connect(greet: (connection: Connection) => void): Promise<void> {
    this.#connection = await connect(this.#config, this.#context, {
      connected: () => {
        this.#health.connected()
        if (this.#connection) greet(this.#connection)
      },
      failed: error => this.#health.failed(error),
    })
    greet(this.#connection)
  }

  async stop(): Promise<void> {
    this.#marker.stop()
    this.#health.close()
    this.#states.close()
    this.#connection?.close()
    this.#connection = undefined
  }

  #greet(connection: Connection): void {
    void this.#marker.watch()
    void this.#checkEviction(connection)
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
