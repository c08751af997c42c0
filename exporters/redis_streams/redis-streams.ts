import { createHash } from 'node:crypto'
import type { Counter } from '@opentelemetry/api'
import {
  type ComponentContext,
  type Exporter,
  type ExportRequest,
  isTocsinError,
  type LogRecord,
  orAborted,
  PermanentError,
  type Records,
  type Sent,
} from 'tocsin/component'
import { encodeOtlpJsonSteps, inSlices } from 'tocsin/otlp'
import { compileTemplate, type TemplateEngine, TemplateError, templateView } from 'tocsin/template'
import {
  agreeOnPartitions,
  ENTRIES_SUFFIX,
  partitionedStream,
  partOf,
  type RedisCommands,
  type RedisExtension,
  redisScript,
  STREAM_FIELD,
} from '#state'
import type { RedisStreamsConfig } from './config.js'

/** How long a request that is sent again is recognised, in ms: each try starts it anew. */
const RECOGNISED_MS = 600_000
const FULL_RETRY_MS = 1_000
/** The partition's key of records whose key cannot be rendered; rendered keys carry a prefix. */
const ERROR_KEY = 'error'

/** KEYS: entries, mark of the request. ARGV: most entries, records, ms of the mark. Answers 0 when it is full. */
const ADD = redisScript(`
if redis.call('EXISTS', KEYS[2]) == 0 then
  if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
  redis.call('XADD', KEYS[1], '*', '${STREAM_FIELD}', ARGV[2])
end
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
return 1`)

/** Appends the records of a request to the partitions of their keys, one entry each. */
export class RedisStreamsExporter implements Exporter {
  readonly #context: ComponentContext<RedisStreamsConfig>
  readonly #keyOf: ((record: LogRecord, pipeline: string) => string) | undefined
  readonly #entries: Counter
  readonly #full: Counter
  #redis: RedisCommands | undefined
  #agreed = false

  constructor(context: ComponentContext<RedisStreamsConfig>) {
    this.#context = context
    const { meter, id, config } = context
    const counter = (name: string, description: string): Counter => {
      const created = meter.createCounter(name, { description })
      created.add(0, { exporter: id })
      return created
    }
    this.#entries = counter('tocsin_redis_streams_added_entries', 'Entries appended to partitions.')
    this.#full = counter(
      'tocsin_redis_streams_full',
      'Times that a partition was full: the request is tried again.',
    )
    const errors = counter(
      'tocsin_redis_streams_key_errors',
      'Records whose key could not be rendered: they share one key.',
    )
    this.#keyOf =
      config.key === undefined
        ? undefined
        : keyOf(config.key, config.engine, () => errors.add(1, { exporter: id }))
  }

  async start(): Promise<void> {
    const { config, extension } = this.#context
    const { redis } = extension<Partial<RedisExtension>>(config.redis)
    if (!redis) {
      throw new PermanentError('no_redis', `The extension ${config.redis} is no redis_storage.`)
    }
    this.#redis = redis
    try {
      await this.#agree(redis)
    } catch (error) {
      // A server that is down is asked again with the first request.
      if (!isTocsinError(error) || !error.retryable) throw error
    }
  }

  async send({ records, pipeline }: ExportRequest, signal: AbortSignal): Promise<Sent> {
    const redis = this.#redis
    if (!redis || signal.aborted) return { reason: 'The exporter is not running.' }
    const sent = await orAborted(this.#send(redis, records, pipeline), signal)
    return sent ?? { reason: 'Redis did not answer in time.' }
  }

  async #send(redis: RedisCommands, records: Records, pipeline: string): Promise<Sent> {
    try {
      await this.#agree(redis)
    } catch (error) {
      // Another number of partitions is a mistake of the configuration, not of the records.
      return { reason: (error as Error).message }
    }
    const { config, id } = this.#context
    const stream = partitionedStream(redis, config.stream)
    const added = await Promise.all(
      [...this.#byPartition(records, pipeline)].map(async ([partition, some]) => {
        const name = stream.partition(partition)
        const text = (await inSlices(encodeOtlpJsonSteps(some))).toString('utf8')
        return redis.run(
          ADD,
          [name + ENTRIES_SUFFIX, `${name}:sent/${markOf(pipeline, some, text)}`],
          [String(config.max_entries), text, String(RECOGNISED_MS)],
        )
      }),
    )
    const full = added.filter(answer => answer === 0).length
    this.#entries.add(added.length - full, { exporter: id })
    if (full === 0) return 'ok'
    this.#full.add(full, { exporter: id })
    return {
      retryAfterMs: FULL_RETRY_MS,
      reason: `${full} partitions of the stream ${config.stream} are full: their receivers do not keep up.`,
    }
  }

  /** In order within a partition. Without a key a request stays together. */
  #byPartition(records: Records, pipeline: string): Map<number, LogRecord[]> {
    const { partitions } = this.#context.config
    const parts = new Map<number, LogRecord[]>()
    const together = records[0]?.id ?? ''
    for (const record of records) {
      const part = partOf(this.#keyOf?.(record, pipeline) ?? together, partitions)
      const some = parts.get(part)
      if (some) some.push(record)
      else parts.set(part, [record])
    }
    return parts
  }

  async #agree(redis: RedisCommands): Promise<void> {
    if (this.#agreed) return
    await agreeOnPartitions(redis, this.#context.config)
    this.#agreed = true
  }
}

function keyOf(
  text: string,
  engine: TemplateEngine | undefined,
  failed: () => void,
): (record: LogRecord, pipeline: string) => string {
  const template = compileTemplate(text, engine ? { engine } : {})
  return (record, pipeline) => {
    try {
      return `=${template.render(templateView(record, { pipeline, timeZone: 'UTC' }))}`
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      failed()
      return ERROR_KEY
    }
  }
}

const OBSERVED = /"observedTimeUnixNano":"\d+",?/g

/**
 * The same for the same records of a pipeline. Their ids alone do not tell: two pipelines may make different records
 * of one. When they were observed does not count: a source that delivers them again observes them anew.
 */
function markOf(pipeline: string, records: Records, text: string): string {
  const ids = records.map(({ id }) => id)
  return createHash('sha1')
    .update(JSON.stringify([pipeline, ids]))
    .update(text.replace(OBSERVED, ''))
    .digest('base64url')
}
