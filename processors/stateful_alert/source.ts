import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { errorText, type KeyValueStore, PermanentError } from 'tocsin/component'
import { describeUrl } from 'tocsin/http'
import type { Agent } from 'undici'
import { isUrl } from './config.js'

/** Where the text of a table comes from. */
export interface TableSource {
  /** For messages; holds no secrets. */
  readonly name: string
  /** Undefined when it has not changed since the last text that was kept. Rejects when it cannot be read. */
  read(signal: AbortSignal): Promise<TableText | undefined>
  /** What was kept of an earlier run: only of a URL. A file that is not there fails the start. */
  kept(): Promise<string | undefined>
  close(): Promise<void>
}

export interface TableText {
  readonly text: string
  /** The text serves: it counts as the last one from now on. */
  keep(): Promise<void>
}

/** Of the file, and of what is in it when it is compressed. */
const MAX_BYTES = 64 * 1024 * 1024
const TIMEOUT_MS = 30_000
/** For a whole answer: a server that drips must not keep reloads from going on. */
const WHOLE_TIMEOUT_MS = 120_000
const unzip = promisify(gunzip)

export function tableSource(location: string, baseDir: string, store: KeyValueStore): TableSource {
  return openFile(location, baseDir) ?? new UrlSource(location, store)
}

/** Undefined for a URL. */
export function openFile(location: string, baseDir: string): FileSource | undefined {
  return isUrl(location) ? undefined : new FileSource(resolve(baseDir, location))
}

/** A file; looking whether it changed costs a stat. */
class FileSource implements TableSource {
  #seen = ''

  constructor(readonly name: string) {}

  async read(): Promise<TableText | undefined> {
    const { mtimeNs, size, ino, dev } = await stat(this.name, { bigint: true })
    const seen = [mtimeNs, size, ino, dev].join(' ')
    if (seen === this.#seen) return undefined
    if (size > MAX_BYTES) throw tooLarge(this.name)
    const text = await textOf(this.name, await readFile(this.name))
    return {
      text,
      keep: async () => {
        this.#seen = seen
      },
    }
  }

  async kept(): Promise<undefined> {
    return undefined
  }

  async close(): Promise<void> {}
}

/** Kept beside the text of a URL. */
interface Validators {
  readonly etag?: string
  readonly modified?: string
}

/** A URL, asked with its ETag; the last good text is kept in the component's storage. */
class UrlSource implements TableSource {
  readonly name: string
  readonly #url: URL
  readonly #store: KeyValueStore
  #agent: Agent | undefined
  /** Of the location: another one must not be answered with this one's text. */
  readonly #key: string
  #validators: Validators = {}

  constructor(location: string, store: KeyValueStore) {
    this.#url = new URL(location)
    this.name = describeUrl(this.#url)
    this.#store = store
    this.#key = `table/${createHash('sha256').update(location).digest('hex').slice(0, 16)}`
  }

  async read(signal: AbortSignal): Promise<TableText | undefined> {
    const { etag, modified } = this.#validators
    const { username, password, origin, pathname, search } = this.#url
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    const { Agent, request } = (await import('undici')).default
    this.#agent ??= new Agent({ connections: 1, connect: { timeout: 10_000 } })
    const response = await request(origin + pathname + search, {
      dispatcher: this.#agent,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal: AbortSignal.any([signal, AbortSignal.timeout(WHOLE_TIMEOUT_MS)]),
      headers: {
        'user-agent': 'tocsin',
        ...(credentials !== ':' && {
          authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        }),
        ...(etag !== undefined && { 'if-none-match': etag }),
        ...(modified !== undefined && { 'if-modified-since': modified }),
      },
    })
    // Without validators there is no text that could be unchanged.
    if (response.statusCode === 304 && (etag !== undefined || modified !== undefined)) {
      await response.body.dump()
      return undefined
    }
    if (response.statusCode !== 200) {
      await response.body.dump()
      throw new PermanentError('table_unavailable', `${this.name} answered ${response.statusCode}`)
    }
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_BYTES) throw tooLarge(this.name)
      chunks.push(chunk)
    }
    const text = await textOf(this.name, Buffer.concat(chunks))
    const validators: Validators = {
      ...(typeof response.headers.etag === 'string' && { etag: response.headers.etag }),
      ...(typeof response.headers['last-modified'] === 'string' && {
        modified: response.headers['last-modified'],
      }),
    }
    return {
      text,
      keep: async () => {
        this.#validators = validators
        await this.#store.write([{ key: this.#key, value: Buffer.from(text) }])
      },
    }
  }

  async kept(): Promise<string | undefined> {
    const bytes = await this.#store.get(this.#key)
    return bytes && Buffer.from(bytes).toString('utf8')
  }

  async close(): Promise<void> {
    await this.#agent?.destroy()
  }
}

/** Gzip is known by its first bytes, whatever the name says. */
async function textOf(name: string, bytes: Buffer): Promise<string> {
  let plain = bytes
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    plain = await unzip(bytes, { maxOutputLength: MAX_BYTES }).catch(error => {
      if (error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(name)
      throw new PermanentError('table_unreadable', `${name} is not whole gzip: ${errorText(error)}`)
    })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain)
  } catch {
    throw new PermanentError('table_unreadable', `${name} is not UTF-8: save the table in that encoding`)
  }
}

function tooLarge(name: string): PermanentError {
  return new PermanentError('table_too_large', `${name} has more than 64 MiB`)
}
