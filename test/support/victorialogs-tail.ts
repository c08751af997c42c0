import type { ServerResponse } from 'node:http'
import { constants, createGzip } from 'node:zlib'
import { msToNs } from 'tocsin/component'
import {
  ABORTED,
  between,
  type Cut,
  cutResponse,
  pick,
  type VictoriaLogsServer,
} from './victorialogs-server.js'
import type { StoredLine } from './victorialogs-store.js'

export interface TailOptions {
  readonly startOffsetNs: bigint
  readonly offsetNs: bigint
  readonly gzip: boolean
  readonly render: (line: StoredLine) => Buffer | undefined
}

/** One open tail: what it sends next, and how it misbehaves on the way. */
export class TailConnection {
  readonly #server: VictoriaLogsServer
  readonly #response: ServerResponse
  readonly #options: TailOptions
  readonly #timer: NodeJS.Timeout
  readonly #gzip: ReturnType<typeof createGzip> | undefined
  /** `arrival`: the store is sent up to here. */
  #cursor: number
  /** `by_time`: sent up to this time, and the newest time sent of each stream. */
  #sentTo: bigint
  readonly #lastOfStream = new Map<string, bigint>()
  /** Bytes that are ready to go out. */
  #ready: Buffer = Buffer.alloc(0)
  #budget: number
  #how: Cut = 'reset'
  #over = false

  constructor(server: VictoriaLogsServer, response: ServerResponse, options: TailOptions) {
    this.#server = server
    this.#response = response
    this.#options = options
    const { cutTail, repeatOnConnect = 0 } = server.faults
    this.#budget = cutTail ? between(cutTail.afterBytes, server.random) : Number.MAX_SAFE_INTEGER
    if (cutTail) this.#how = pick(cutTail.how, server.random)
    response.statusCode = 200
    response.setHeader('content-type', 'application/x-ndjson')
    if (options.gzip) {
      // The trap: compressed, the headers go out only with the first line.
      response.setHeader('content-encoding', 'gzip')
      this.#gzip = createGzip({ flush: constants.Z_SYNC_FLUSH })
      this.#gzip.on('data', (chunk: Buffer) => this.#response.write(chunk))
    } else {
      response.flushHeaders()
    }
    const from = server.now() - options.offsetNs - options.startOffsetNs
    this.#sentTo = from
    this.#cursor = server.store.length
    if (server.options.tail !== 'by_time') {
      const stored = server.store.since(0)
      const again = stored.filter(
        (line, index) => line.time >= from || stored.length - index <= repeatOnConnect,
      )
      this.#queue(byTime(again))
    }
    this.#timer = setInterval(() => this.#refresh(), server.options.refreshMs ?? 10)
    response.on('close', () => this.#end())
    this.#flush()
  }

  inject(bytes: Uint8Array): void {
    this.#ready = Buffer.concat([this.#ready, bytes])
    this.#flush()
  }

  cut(how: Cut): void {
    this.#end()
    cutResponse(this.#response, how)
  }

  #refresh(): void {
    const { store, options } = this.#server
    if (options.tail === 'by_time') this.#queue(this.#due())
    else {
      const lines = store.since(this.#cursor)
      this.#cursor += lines.length
      const skip = this.#server.faults.skipProbability ?? 0
      this.#queue(byTime(skip > 0 ? lines.filter(() => this.#server.random() >= skip) : lines))
    }
    this.#flush()
  }

  /** As VictoriaLogs: a window of time that moves on, and of each stream only what is newer than its last. */
  #due(): StoredLine[] {
    const end = this.#server.now() - this.#options.offsetNs
    const start = this.#sentTo - msToNs(this.#server.options.lateMs ?? 2_000)
    const due = byTime(this.#server.store.since(0).filter(({ time }) => time >= start && time <= end))
    const fresh = due.filter(({ streamId, time }) => time > (this.#lastOfStream.get(streamId) ?? -1n))
    for (const { streamId, time } of fresh) this.#lastOfStream.set(streamId, time)
    this.#sentTo = end
    return fresh
  }

  #queue(lines: readonly StoredLine[]): void {
    const rendered = lines.map(this.#options.render).filter(line => line !== undefined)
    if (rendered.length === 0) return
    const { breakTail } = this.#server.faults
    if (breakTail !== undefined) this.#break(breakTail)
    // VictoriaLogs needs the time of each line, and breaks off without it.
    else if (rendered.some(line => !line.includes('"_time":"'))) this.#break(ABORTED)
    else this.#ready = Buffer.concat([this.#ready, ...rendered])
  }

  #flush(): void {
    const { faults, random } = this.#server
    while (this.#ready.length > 0 && !this.#over && !faults.stalled && !this.#response.writableNeedDrain) {
      const wanted = faults.chunkBytes ? between(faults.chunkBytes, random) : 65_536
      const size = Math.min(wanted, this.#ready.length, this.#budget)
      const chunk = this.#ready.subarray(0, size)
      this.#ready = this.#ready.subarray(size)
      if (size > 0) this.#write(chunk)
      this.#budget -= size
      if (this.#budget <= 0) this.cut(this.#how)
    }
  }

  #write(chunk: Buffer): void {
    if (this.#gzip) this.#gzip.write(chunk)
    else this.#response.write(chunk)
  }

  /** Over the chunks, as what fails after the headers. */
  #break(words: string): void {
    this.#end()
    this.#response.socket?.end(words)
  }

  #end(): void {
    this.#over = true
    clearInterval(this.#timer)
  }
}

function byTime(lines: readonly StoredLine[]): StoredLine[] {
  return [...lines].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}
