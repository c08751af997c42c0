import { resolve } from 'node:path'
import {
  type ComponentContext,
  createRecord,
  durationMs,
  fromJson,
  type LogRecord,
  NO_RESOURCE,
  NO_SCOPE,
  newMap,
  PermanentError,
  parseRfc3339,
  type ReceiverFactory,
  type Records,
} from '../../component/index.js'
import { PastLog } from '../../rehearsal/index.js'
import type { ServiceSettings } from '../../service/settings.js'
import type { Item, TestCase } from './schema.js'

/** When the clock of a test starts that does not say. */
export const START = '2026-01-15T10:00:00Z'

/** What a test offers, and when: ns since the epoch. */
export interface Offer {
  readonly at: bigint
  readonly receiver: string
  readonly records: Records
}

/** Which receiver the input of a test comes through. */
export function receiverOf({ graph }: ServiceSettings, { receiver, pipeline }: TestCase): string {
  const used = new Set([...graph.pipelines.values()].flatMap(({ receivers }) => receivers))
  const all = [...graph.receivers.keys()].filter(id => used.has(id))
  if (receiver !== undefined) {
    if (all.includes(receiver)) return receiver
    throw new PermanentError(
      'unknown_receiver',
      `no pipeline has the receiver ${receiver}: there is ${all.join(', ')}`,
    )
  }
  if (pipeline !== undefined) {
    const found = graph.pipelines.get(pipeline)
    const [own] = found?.receivers.filter(id => graph.receivers.has(id)) ?? []
    if (own !== undefined) return own
    const why = found
      ? `${pipeline} has connectors alone: name the pipeline before it`
      : `there is no pipeline ${pipeline}: there is ${[...graph.pipelines.keys()].join(', ')}`
    throw new PermanentError('unknown_pipeline', why)
  }
  const [only, ...more] = all
  if (only !== undefined && more.length === 0) return only
  const pipelines = [...graph.pipelines.keys()].join(', ')
  throw new PermanentError(
    'which_pipeline',
    `the configuration has the receivers ${all.join(', ')}: say pipeline: (${pipelines}) or receiver:`,
  )
}

/** The inputs of a test, in order. */
export class Offers {
  constructor(
    private readonly settings: ServiceSettings,
    private readonly test: TestCase,
    private readonly receiver: string,
    private readonly folder: string,
  ) {}

  /** Of the lines of the first file that come when they say. */
  async firstTime(): Promise<bigint | undefined> {
    const item = this.test.input.find(comesAsItSays)
    if (!item) return undefined
    for await (const batch of this.#file(item, 0n, undefined).records()) {
      const [first] = batch
      if (first) return first.observedTimestamp || first.time || undefined
    }
    return undefined
  }

  async *all(start: bigint, contexts: ReadonlyMap<string, ComponentContext<object>>): AsyncIterable<Offer> {
    let at = start
    let count = 0
    for (const item of this.test.input) {
      const receiver = item.receiver ?? this.receiver
      const context = contexts.get(receiver)
      if (!context) throw new PermanentError('unknown_receiver', `no pipeline has the receiver ${receiver}`)
      if (item.at !== undefined) at = start + nsOf(item.at)
      const every = item.every === undefined ? 0n : nsOf(item.every)
      if (item.body !== undefined) {
        for (let time = 0; time < item.times; time++, count++) {
          if (time > 0) at += every
          yield { at, receiver, records: [recordOf(item, `input/${count}`, at)] }
        }
        continue
      }
      const saysWhen = comesAsItSays(item)
      for (let time = 0; time < item.times; time++) {
        if (time > 0) at += every
        const log = this.#file(item, at, context)
        let first = true
        for await (const batch of log.records()) {
          for (const record of batch) {
            const said = record.observedTimestamp || record.time
            if (saysWhen && said > at) at = said
            else if (!saysWhen && !first) at += every
            first = false
            const records = [withMore(record, item, saysWhen ? said : at)]
            yield { at, receiver, records }
          }
        }
      }
    }
  }

  #file(item: Item, at: bigint, context: ComponentContext<object> | undefined): PastLog {
    const { receivers } = this.settings.graph
    const factory = receivers.get(item.receiver ?? this.receiver)?.factory as unknown as ReceiverFactory
    const line = item.line === undefined ? undefined : Buffer.from(`${item.line}\n`)
    const name = item.file ?? 'line'
    return new PastLog({
      path: line ? '-' : resolve(this.folder, name),
      ...(line && { stdin: [line] as unknown as NodeJS.ReadableStream }),
      reader: context && factory.past?.(context),
      times: {
        timeZone: this.test.time_zone,
        now: at || (parseRfc3339(this.test.start ?? START) as bigint),
        ignored: !comesAsItSays(item),
      },
    })
  }
}

/** A file whose lines come when they say. */
function comesAsItSays({ file, every, at }: Item): boolean {
  return file !== undefined && every === undefined && at === undefined
}

function recordOf(item: Item, id: string, at: bigint): LogRecord {
  const { body, timestamp, severity_text, severity_number, trace_id, span_id, event_name } = item
  return createRecord({
    id,
    body: fromJson(body),
    observedTimestamp: at,
    ...(timestamp !== undefined && { timestamp: parseRfc3339(timestamp) as bigint }),
    ...(severity_text !== undefined && { severityText: severity_text }),
    ...(severity_number !== undefined && { severityNumber: severity_number }),
    ...(trace_id !== undefined && { traceId: trace_id }),
    ...(span_id !== undefined && { spanId: span_id }),
    ...(event_name !== undefined && { eventName: event_name }),
    attributes: newMap(entriesOf(item.attributes)),
    ...(item.resource && { resource: { ...NO_RESOURCE, attributes: newMap(entriesOf(item.resource)) } }),
    ...(item.scope !== undefined && { scope: { ...NO_SCOPE, name: item.scope } }),
  })
}

/** A record of a line or a file, observed when it comes. */
function withMore(record: LogRecord, { attributes, resource }: Item, at: bigint): LogRecord {
  return record.patch({
    observedTimestamp: at,
    ...(attributes && {
      attributes: newMap([...Object.entries(record.attributes), ...entriesOf(attributes)]),
    }),
    ...(resource && {
      resource: {
        ...record.resource,
        attributes: newMap([...Object.entries(record.resource.attributes), ...entriesOf(resource)]),
      },
    }),
  })
}

function entriesOf(map: { readonly [name: string]: unknown } = {}) {
  return Object.entries(map).map(
    ([name, value]) => [name, fromJson(value)] as [string, ReturnType<typeof fromJson>],
  )
}

function nsOf(duration: string): bigint {
  return BigInt(Math.round(durationMs(duration) * 1e6))
}
