import type { ComponentContext, PastReader, ReceiverFactory, Records } from '../../component/index.js'
import { alike, type LineTimesOptions, PastLog } from '../../rehearsal/index.js'
import type { ServiceSettings } from '../../service/settings.js'

/** Where past records come from: files, by the receiver that would have read them, or a range of time. */
export interface Inputs {
  readonly files: readonly { readonly path: string; readonly receiver: string }[]
  readonly range:
    | { readonly from: bigint; readonly to: bigint; readonly receivers: readonly string[] }
    | undefined
}

export interface Piece {
  readonly receiver: string
  readonly records: Records
}

export interface SourceOptions {
  readonly inputs: Inputs
  readonly settings: ServiceSettings
  readonly contexts: ReadonlyMap<string, ComponentContext<object>>
  readonly times: LineTimesOptions
  readonly stdin: NodeJS.ReadableStream | undefined
  readonly signal: AbortSignal
  onBytes(bytes: number): void
}

/** All records in order of time: files that overlap are merged, a file that begins later is opened then. */
export async function* pieces(options: SourceOptions, logs: PastLog[]): AsyncIterable<Piece> {
  const { inputs, settings, contexts, signal } = options
  const readers = new Map<string, PastReader | undefined>()
  const readerOf = (receiver: string): PastReader | undefined => {
    if (!readers.has(receiver)) {
      const factory = settings.graph.receivers.get(receiver)?.factory as unknown as ReceiverFactory
      readers.set(receiver, factory.past?.(contexts.get(receiver) as ComponentContext<object>))
    }
    return readers.get(receiver)
  }
  const open = (path: string, receiver: string, counts: boolean): PastLog =>
    new PastLog({
      path,
      stdin: options.stdin,
      reader: readerOf(receiver),
      times: options.times,
      ...(counts && { onBytes: bytes => options.onBytes(bytes) }),
    })
  const waiting: Waiting[] = []
  for (const { path, receiver } of inputs.files) {
    const begin = (): AsyncIterator<Records> => {
      const log = open(path, receiver, true)
      logs.push(log)
      return log.records()[Symbol.asyncIterator]()
    }
    const from = inputs.files.length === 1 || path === '-' ? 0n : await firstTime(open(path, receiver, false))
    waiting.push({ receiver, from, begin })
  }
  for (const receiver of inputs.range?.receivers ?? []) {
    const { from, to } = inputs.range as NonNullable<Inputs['range']>
    const query = readerOf(receiver)?.query?.(from, to, signal)
    if (query) waiting.push({ receiver, from, begin: () => query[Symbol.asyncIterator]() })
  }
  waiting.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
  try {
    yield* merged(waiting)
  } finally {
    for (const reader of readers.values()) await reader?.close?.()
  }
}

interface Waiting {
  readonly receiver: string
  readonly from: bigint
  begin(): AsyncIterator<Records>
}

interface Stream {
  readonly receiver: string
  readonly iterator: AsyncIterator<Records>
  records: Records
  at: number
}

async function* merged(waiting: Waiting[]): AsyncIterable<Piece> {
  const streams: Stream[] = []
  for (;;) {
    while (waiting.length > 0) {
      const head = streams.reduce<bigint | undefined>((least, one) => earlier(least, headOf(one)), undefined)
      if (head !== undefined && (waiting[0] as Waiting).from > head) break
      const { receiver, begin } = waiting.shift() as Waiting
      const stream: Stream = { receiver, iterator: begin(), records: [], at: 0 }
      if (await fill(stream)) streams.push(stream)
    }
    if (streams.length === 0) return
    const stream = streams.reduce((least, one) => (headOf(one) < headOf(least) ? one : least))
    let limit = waiting[0]?.from
    for (const one of streams) if (one !== stream) limit = earlier(limit, headOf(one))
    let end = stream.records.length
    if (limit !== undefined) {
      end = stream.at + 1
      while (end < stream.records.length && timeOf(stream.records[end] as Records[number]) <= limit) end++
    }
    const whole = stream.at === 0 && end === stream.records.length
    const records = whole ? stream.records : stream.records.slice(stream.at, end)
    stream.at = end
    for (const batch of alike(records)) yield { receiver: stream.receiver, records: batch }
    if (stream.at === stream.records.length && !(await fill(stream)))
      streams.splice(streams.indexOf(stream), 1)
  }
}

async function fill(stream: Stream): Promise<boolean> {
  for (;;) {
    const next = await stream.iterator.next()
    if (next.done) return false
    if (next.value.length === 0) continue
    stream.records = next.value
    stream.at = 0
    return true
  }
}

function headOf({ records, at }: Stream): bigint {
  return timeOf(records[at] as Records[number])
}

function timeOf(record: Records[number]): bigint {
  return record.observedTimestamp || record.time
}

function earlier(a: bigint | undefined, b: bigint): bigint {
  return a === undefined || b < a ? b : a
}

async function firstTime(log: PastLog): Promise<bigint> {
  for await (const [first] of log.records()) if (first) return timeOf(first)
  return 0n
}
