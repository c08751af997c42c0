import { chmod, lstat, mkdir, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import {
  errorText,
  formatRfc3339,
  type Logger,
  type LogRecord,
  PermanentError,
  toJson,
} from '../../component/index.js'
import type { CompileCondition } from '../graph-deliveries.js'
import type { Taps } from './taps.js'

/** What a client sends: one line of JSON. */
export interface TapQuestion {
  /** A pipeline, or a component as `kind/id` or by its id. Undefined: which points there are. */
  readonly point?: string
  readonly condition?: string
  readonly sample?: number
  readonly rate?: number
}

/** What it gets: lines of JSON. */
export type TapAnswer =
  | { readonly points: readonly string[] }
  | { readonly error: string }
  | { readonly at: string }
  | { readonly skipped: { readonly rate: number; readonly failed: number } }
  | { readonly record: TapRecord }

export interface TapRecord {
  readonly time: string
  readonly pipeline?: string
  readonly severity_text: string
  readonly severity_number: number
  readonly body: unknown
  readonly attributes: unknown
  readonly resource: unknown
}

export const RATE = 100
const MAX_RATE = 10_000
const MAX_CLIENTS = 10
const MAX_QUESTION_BYTES = 64 * 1024
/** A terminal that does not read gets no more than this ahead. */
const MAX_WAITING_BYTES = 1024 * 1024

/** Lets the user of this process look on, over a unix socket that nobody else can open. */
export class TapServer {
  readonly #server: Server
  readonly #clients = new Set<Socket>()

  constructor(
    private readonly taps: Taps,
    private readonly conditions: () => Promise<CompileCondition>,
    private readonly logger: Logger,
  ) {
    this.#server = createServer(socket => this.#welcome(socket))
  }

  /** Rejects when the folder is somebody else's, or the socket cannot be made. */
  async listen(path: string): Promise<void> {
    await ownFolder(dirname(path))
    await rm(path, { force: true })
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(path, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    await chmod(path, 0o600)
    this.#server.on('error', error =>
      this.logger.warn('Looking on (tocsin tap) broke down.', { reason: errorText(error) }),
    )
    this.#server.unref()
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy()
    if (this.#server.listening) await new Promise(resolve => this.#server.close(resolve))
  }

  #welcome(socket: Socket): void {
    if (this.#clients.size >= MAX_CLIENTS) {
      socket.end(line({ error: `${MAX_CLIENTS} look on already.` }))
      return
    }
    this.#clients.add(socket)
    socket.unref()
    let stop = (): void => {}
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#clients.delete(socket)
      stop()
    })
    let text = ''
    const read = (chunk: string): void => {
      text += chunk
      const end = text.indexOf('\n')
      if (end < 0 && text.length <= MAX_QUESTION_BYTES) return
      socket.off('data', read)
      socket.resume()
      void this.#answer(text.slice(0, Math.max(0, end)), socket).then(stopped => {
        if (socket.destroyed) stopped?.()
        else stop = stopped ?? stop
      })
    }
    socket.setEncoding('utf8').on('data', read)
  }

  async #answer(text: string, socket: Socket): Promise<(() => void) | undefined> {
    try {
      const { point, condition, sample = 1, rate = RATE } = JSON.parse(text) as TapQuestion
      if (point === undefined) {
        socket.end(line({ points: this.taps.points }))
        return undefined
      }
      const at = pointOf(point, this.taps.points)
      const compiled = condition === undefined ? undefined : (await this.conditions())(condition)
      const request = {
        ...(compiled && { condition: (record: LogRecord) => compiled.test(record) }),
        sample: Math.min(1, Math.max(0, sample)),
        rate: Math.min(MAX_RATE, Math.max(1, Math.floor(rate))),
      }
      socket.write(line({ at }))
      let unread = 0
      return this.taps.open(at, request, {
        record: (record, pipeline) => {
          if (socket.writableLength > MAX_WAITING_BYTES) unread++
          else socket.write(line({ record: shown(record, pipeline) }))
        },
        skipped: ({ rate, failed }) => {
          socket.write(line({ skipped: { rate: rate + unread, failed } }))
          unread = 0
        },
      })
    } catch (error) {
      socket.end(line({ error: errorText(error) }))
      return undefined
    }
  }
}

/** The point that a word means: itself, or the one component of that id. Throws `unknown_point`. */
export function pointOf(word: string, points: readonly string[]): string {
  if (points.includes(word)) return word
  const found = points.filter(point => point.slice(point.indexOf('/') + 1) === word)
  if (found.length === 1) return found[0] as string
  const what = found.length > 1 ? `is more than one (${found.join(', ')})` : 'does not run here'
  throw new PermanentError('unknown_point', `"${word}" ${what}. There are: ${points.join(', ')}.`)
}

function shown(record: LogRecord, pipeline: string | undefined): TapRecord {
  return {
    time: formatRfc3339(record.timestamp === 0n ? record.observedTimestamp : record.timestamp),
    ...(pipeline !== undefined && { pipeline }),
    severity_text: record.severityText,
    severity_number: record.severityNumber,
    body: toJson(record.body),
    attributes: toJson(record.attributes),
    resource: toJson(record.resource.attributes),
  }
}

function line(answer: TapAnswer): string {
  return `${JSON.stringify(answer)}\n`
}

/** A folder that others could write in would let them put their socket in place of ours. */
async function ownFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = await lstat(folder)
  const others = (mode & 0o022) !== 0
  if (uid === process.getuid?.() && !others) return
  throw new PermanentError('unsafe_folder', `${folder} can be written by other users, or is theirs.`)
}
