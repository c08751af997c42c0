import { PermanentError } from '../../component/errors.js'
import type { ConfigSchema } from '../../component/schema.js'
import { type RedisCommands, redisScript } from './commands.js'

/** A stream in partitions as the `redis_streams` components write and read it: the layout that both know. */
export interface PartitionedStream {
  /** Common to all partitions: who reads it, how far they are. */
  readonly name: string
  /** Of one partition; holds its hash tag, so that its keys share a slot. */
  partition(number: number): string
}

export interface StreamConfig {
  readonly stream: string
  readonly partitions: number
}

/** The options that both ends of a stream have in common; `redis` is required. */
export const streamProperties: { readonly [name: string]: ConfigSchema } = {
  redis: {
    type: 'string',
    component: 'extension',
    description: 'The redis_storage extension whose connection and prefix are used.',
    examples: ['redis_storage'],
  },
  stream: {
    type: 'string',
    minLength: 1,
    default: 'logs',
    description: 'The name that exporters and receivers of the stream have in common.',
  },
  partitions: {
    type: 'integer',
    minimum: 1,
    maximum: 256,
    default: 16,
    description:
      'How many collectors can share the load at most: the same at both ends. It stays what it was first.',
  },
}

/** The field of an entry with the OTLP JSON of its records. */
export const STREAM_FIELD = 'otlp_json'
export const ENTRIES_SUFFIX = ':entries'

const AGREE = redisScript(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])`)

export function partitionedStream({ prefix }: RedisCommands, stream: string): PartitionedStream {
  // What stands between braces decides the slot.
  const name = encodeURIComponent(stream)
  return {
    name: `${prefix}:{stream/${name}}`,
    partition: number => `${prefix}:{stream/${name}/${number}}`,
  }
}

/** The first component decides on the number of partitions; another number is a PermanentError. */
export async function agreeOnPartitions(
  redis: RedisCommands,
  { stream, partitions }: StreamConfig,
): Promise<void> {
  const key = `${partitionedStream(redis, stream).name}:partitions`
  const agreed = Number(await redis.run(AGREE, [key], [String(partitions)]))
  if (agreed === partitions) return
  throw new PermanentError(
    'stream_partitions',
    `The stream ${stream} has ${agreed} partitions, not ${partitions}: keys would change their partition. Set partitions: ${agreed}, or use another stream.`,
  )
}
