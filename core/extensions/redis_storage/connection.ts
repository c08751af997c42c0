import { type Cluster, Redis } from 'ioredis'
import {
  type ComponentContext,
  durationMs,
  isTocsinError,
  parseDuration,
  RetryableError,
} from 'tocsin/component'
import type { RedisCommands, RedisScript } from '#state'
import { clientOf, DEAF_MS, DEAF_TIMES, usesTls } from './client.js'
import type { RedisStorageConfig } from './config.js'
import { explain, explainCommand, notConnected, type Peer } from './explain.js'
import { Link } from './link.js'
import { Patience } from './patience.js'

const DEFAULT_ENDPOINT = '127.0.0.1:6379'
const FAILOVER_MS = 3_000

/** A connection to Redis, made in the background and made again when it breaks. Never queues while there is none. */
export interface Connection extends RedisCommands {
  close(): void
}

export interface ConnectionEvents {
  readonly connected: () => void
  readonly failed: (error: RetryableError) => void
}

/** Resolves when the first attempt succeeded or failed. Throws only what a person must mend: unreadable TLS files. */
export async function connect(
  config: RedisStorageConfig,
  context: ComponentContext<RedisStorageConfig>,
  events: ConnectionEvents,
): Promise<Connection> {
  const endpoints = config.endpoints ?? [config.endpoint ?? DEFAULT_ENDPOINT]
  const peer = { where: endpoints.join(', '), tls: usesTls(config), cluster: config.mode === 'cluster' }
  const timeoutMs = parseDuration(config.timeout) ?? 500
  const client = await clientOf(config, context, endpoints)
  const patience = patienceWith(client, timeoutMs, context)

  let settle: () => void = () => undefined
  const settled = new Promise<void>(resolve => {
    settle = resolve
  })
  const link = new Link(client, context.clock)
  client.on('ready', () => {
    events.connected()
    settle()
  })
  let told = false
  const failed = (error: unknown): void => {
    told = true
    events.failed(explain(error, peer))
    settle()
  }
  client.on('error', error => {
    // One that broke is no trouble before no other can be had.
    if (!link.usable && !link.waits) failed(error)
  })
  client.on('node error', (error: unknown) => {
    // One node of many: what needs it will say so.
    if (client.status !== 'ready' && !link.waits) failed(error)
  })
  // It rejects with less than the event before it said.
  client.connect().catch(error => !told && failed(error))
  await settled
  return new RedisConnection(client, peer, { link, patience, timeoutMs }, context)
}

class RedisConnection implements Connection {
  readonly prefix: string
  readonly leaseTtlMs: number
  readonly #peer: Peer
  readonly #client: Redis | Cluster
  readonly #timeoutMs: number
  readonly #link: Link
  readonly #patience: Patience
  readonly #context: ComponentContext<RedisStorageConfig>

  constructor(
    client: Redis | Cluster,
    peer: Peer,
    {
      link,
      patience,
      timeoutMs,
    }: { readonly link: Link; readonly patience: Patience; readonly timeoutMs: number },
    context: ComponentContext<RedisStorageConfig>,
  ) {
    this.#client = client
    this.#peer = peer
    this.#timeoutMs = timeoutMs
    this.#link = link
    this.#patience = patience
    this.#context = context
    this.prefix = context.config.prefix
    this.leaseTtlMs = durationMs(context.config.lease_ttl)
  }

  run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | Uint8Array)[],
  ): Promise<unknown> {
    return this.#script('call', script, keys, args)
  }

  runBytes(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | Uint8Array)[],
  ): Promise<unknown> {
    return this.#script('callBuffer', script, keys, args)
  }

  call(command: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.#patiently(() => this.#client.call(command, ...args))
  }

  callBytes(command: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.#patiently(() => this.#client.callBuffer(command, ...args))
  }

  close(): void {
    this.#client.disconnect(false)
  }

  #script(
    call: 'call' | 'callBuffer',
    { sha, text }: RedisScript,
    keys: readonly string[],
    args: readonly (string | Uint8Array)[],
  ): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args] as (string | Buffer | number)[]
    this.#gather()
    return this.#patiently(givenUp =>
      this.#client[call]('evalsha', sha, ...rest).catch((error: Error) => {
        // A server that was restarted, or never saw the script. What nobody waits for any more is not done either.
        if (!error.message.startsWith('NOSCRIPT') || givenUp()) throw error
        return this.#client[call]('eval', text, ...rest)
      }),
    )
  }

  /** What is asked for in the same turn leaves in one write: a batch asks all partitions. A cluster has many streams. */
  #gather(): void {
    const stream = this.#client instanceof Redis ? this.#client.stream : undefined
    if (!stream || stream.writableCorked > 0) return
    stream.cork()
    process.nextTick(() => stream.uncork())
  }

  /**
   * While a cluster makes a replica the master, all its nodes refuse all keys. That is soon over, and worth waiting
   * for: going on locally, every collector would raise its own alerts.
   */
  async #patiently<T>(send: (givenUp: () => boolean) => Promise<T>): Promise<T> {
    const { clock, random } = this.#context
    const giveUpMs = clock.monotonicMs() + FAILOVER_MS
    for (;;) {
      try {
        if (!this.#link.usable && !(await this.#link.back())) throw notConnected(this.#peer.where)
        return await this.#inTime(send)
      } catch (error) {
        if (!isTocsinError(error) || error.code !== 'redis_cluster_down') throw error
        if (clock.monotonicMs() >= giveUpMs) throw error
        await clock.sleep(50 + 50 * random())
      }
    }
  }

  #inTime<T>(send: (givenUp: () => boolean) => Promise<T>): Promise<T> {
    let givenUp = false
    const explained = send(() => givenUp).catch((error: unknown) => {
      throw explainCommand(error, this.#peer)
    })
    const message = `Redis at ${this.#peer.where} did not answer within ${this.#timeoutMs} ms.`
    return this.#patience.wait(explained, () => {
      givenUp = true
      return new RetryableError('redis_slow', message)
    })
  }
}

/** Of a cluster's nodes it is not known which one answers: there looks are counted, and ioredis cuts silent sockets. */
function patienceWith(
  client: Redis | Cluster,
  timeoutMs: number,
  { clock }: Pick<ComponentContext<unknown>, 'clock'>,
): Patience {
  const single = client instanceof Redis ? client : undefined
  const silent = (): Error => Object.assign(new Error('Redis is silent.'), { code: 'ETIMEDOUT' })
  const patience = new Patience({
    clock,
    timeoutMs,
    bytesRead: () => single?.stream?.bytesRead,
    deaf: {
      times: Math.max(DEAF_TIMES, DEAF_MS / timeoutMs),
      act: () => single?.stream?.destroy(silent()),
    },
  })
  // The greeting of a new connection is an answer too.
  single?.on('connect', () => {
    const greeted = new Promise<void>(resolve => {
      const over = (): void => {
        single.off('ready', over).off('close', over)
        resolve()
      }
      single.on('ready', over).on('close', over)
    })
    patience.wait(greeted, silent).catch(() => undefined)
  })
  return patience
}
