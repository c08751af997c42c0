import { randomUUID } from 'node:crypto'
import {
  type ComponentContext,
  errorText,
  type Intake,
  isTocsinError,
  orAborted,
  PermanentError,
  type Receiver,
} from 'tocsin/component'
import {
  agreeOnPartitions,
  type PartitionedStream,
  partitionedStream,
  type RedisCommands,
  type RedisExtension,
} from '#state'
import type { RedisStreamsConfig } from './config.js'
import { type StreamMetrics, streamMetrics } from './metrics.js'
import { Partition } from './partition.js'
import { MEET } from './scripts.js'
import { earliest, fairShare } from './share.js'

/** Reads its fair share of the partitions; the other collectors with this stream read theirs. */
export class RedisStreamsReceiver implements Receiver {
  readonly #context: ComponentContext<RedisStreamsConfig>
  readonly #metrics: StreamMetrics
  readonly #member = randomUUID()
  readonly #stop = new AbortController()
  readonly #held = new Map<number, Partition>()
  readonly #leaving = new Map<number, Promise<void>>()
  /** Of all partitions, as their owners last said. */
  #watermarks = new Map<number, bigint>()
  #watermark: bigint | undefined
  #running: Promise<void> = Promise.resolve()
  #agreed = false
  #failing = false

  constructor(context: ComponentContext<RedisStreamsConfig>) {
    this.#context = context
    this.#metrics = streamMetrics(context.meter, context.id, () => [...this.#held.values()])
  }

  async start(intake: Intake): Promise<void> {
    const { config, extension } = this.#context
    const { redis } = extension<Partial<RedisExtension>>(config.redis)
    if (!redis) throw new PermanentError('no_redis', `The extension ${config.redis} is no redis_storage.`)
    try {
      await this.#agree(redis)
    } catch (error) {
      if (!isTocsinError(error) || !error.retryable) throw error
      this.#failed(error)
    }
    this.#running = this.#run(redis, intake)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await Promise.all([...this.#held.values()].map(partition => partition.stop()))
  }

  async close(): Promise<void> {
    await this.stop()
    await Promise.all([...this.#held.values()].map(partition => partition.release()))
    this.#held.clear()
    await Promise.all(this.#leaving.values())
  }

  watermark(): bigint | undefined {
    const time = earliest(
      this.#context.config.partitions,
      partition => this.#held.get(partition)?.watermark ?? this.#watermarks.get(partition),
    )
    if (time !== undefined && (this.#watermark === undefined || time > this.#watermark)) {
      this.#watermark = time
    }
    return this.#watermark
  }

  async #run(redis: RedisCommands, intake: Intake): Promise<void> {
    const { clock } = this.#context
    const stream = partitionedStream(redis, this.#context.config.stream)
    while (!this.#stop.signal.aborted) {
      this.#dropLost()
      try {
        await this.#agree(redis)
        await this.#round(redis, stream, intake)
        this.#worked()
      } catch (error) {
        this.#failed(error)
      }
      await clock.sleep(redis.leaseTtlMs / 3, this.#stop.signal)
    }
    await this.#say(redis, stream, 0).catch(() => undefined)
  }

  async #round(redis: RedisCommands, stream: PartitionedStream, intake: Intake): Promise<void> {
    const members = await this.#say(redis, stream, redis.leaseTtlMs)
    const { partitions } = this.#context.config
    const wanted = fairShare(this.#member, members, partitions)
    for (const partition of [...this.#held.values()].slice(wanted)) this.#leave(partition)
    const first = Math.floor(this.#context.random() * partitions)
    for (let step = 0; step < partitions && this.#held.size < wanted; step++) {
      const number = (first + step) % partitions
      if (this.#stop.signal.aborted) return
      if (this.#held.has(number) || this.#leaving.has(number)) continue
      const partition = await this.#take(number, redis, stream, intake)
      if (partition) this.#held.set(number, partition)
    }
  }

  #take(
    number: number,
    redis: RedisCommands,
    stream: PartitionedStream,
    intake: Intake,
  ): Promise<Partition | undefined> {
    const { clock, random, logger } = this.#context
    return Partition.take({
      number,
      name: stream.partition(number),
      consumer: this.#member,
      redis,
      intake,
      clock,
      random,
      logger,
      claimed: entries => this.#metrics.claimed(entries),
      acknowledged: entries => this.#metrics.acknowledged(entries),
    })
  }

  /** Another collector gets it when all that was read of it is acknowledged. */
  #leave(partition: Partition): void {
    const drained = orAborted(partition.drained(), this.#stop.signal)
    this.#let(
      partition,
      drained.then(() => partition.release()),
    )
  }

  #dropLost(): void {
    for (const partition of this.#held.values()) {
      if (!partition.owned) this.#let(partition, partition.release())
    }
  }

  #let(partition: Partition, gone: Promise<void>): void {
    this.#held.delete(partition.number)
    this.#leaving.set(
      partition.number,
      gone.finally(() => this.#leaving.delete(partition.number)),
    )
  }

  /** Answers who else is there. */
  async #say(redis: RedisCommands, stream: PartitionedStream, ttlMs: number): Promise<readonly string[]> {
    const times = [...this.#held.values()].flatMap(({ number, watermark }) =>
      watermark === undefined ? [] : [String(number), String(watermark)],
    )
    const keys = [`${stream.name}:members`, `${stream.name}:watermarks`]
    const [members, known] = (await redis.run(MEET, keys, [this.#member, String(ttlMs), ...times])) as [
      string[],
      string[],
    ]
    this.#watermarks = new Map()
    for (let at = 0; at < known.length; at += 2) {
      this.#watermarks.set(Number(known[at]), BigInt(known[at + 1] as string))
    }
    return members
  }

  async #agree(redis: RedisCommands): Promise<void> {
    if (this.#agreed) return
    await agreeOnPartitions(redis, this.#context.config)
    this.#agreed = true
  }

  #failed(error: unknown): void {
    const permanent = isTocsinError(error) && !error.retryable
    const status = permanent ? 'permanent_error' : 'recoverable_error'
    if (!this.#failing) {
      this.#context.logger.warn('The stream cannot be read.', { reason: errorText(error) })
      this.#context.reportStatus({ status, message: errorText(error) })
    }
    this.#failing = true
  }

  #worked(): void {
    if (this.#failing) {
      this.#context.logger.info('The stream can be read again.')
      this.#context.reportStatus({ status: 'ok' })
    }
    this.#failing = false
  }
}
