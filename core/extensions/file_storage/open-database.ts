import { chmod, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { RootDatabase } from 'lmdb'
import { errorText, PermanentError, RetryableError } from 'tocsin/component'
import type { DirectoryLock } from './directory-lock.js'
import { DATA_FILE, folderForCopy, identityOf } from './folder.js'
import type { SharedState } from './shared-state.js'

export type Environment = RootDatabase<Buffer, Buffer>

/** The kind of a row is the first byte of its key. */
const NAMESPACE_ROW = 0x6e
const ID_BYTES = 4
/** Has no rows. */
const NOBODYS_ID = 0xffff_ffff

export interface Row {
  readonly key: Buffer
  /** Undefined removes the row. */
  readonly value: Uint8Array | undefined
}

export async function openEnvironment(path: string): Promise<Environment> {
  const { open } = await import('lmdb')
  return open<Buffer, Buffer>({
    path,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    // It makes a promise of its own, and nobody could catch its rejection when the disk is full.
    eventTurnBatching: false,
  })
}

/** Of the one process that runs with the folder: `identity` is that of the open files. */
interface Own {
  readonly lock: DirectoryLock
  readonly identity: string | undefined
}

interface Namespace {
  readonly id: number
  /** False until its row is durable: an id must not be given away twice. */
  saved: boolean
}

/** The rows of one LMDB environment, and the numbers of its namespaces. */
export class OpenDatabase {
  readonly states = new Map<string, SharedState<unknown>>()
  onTrouble: (error: Error | undefined) => void = () => undefined
  readonly #path: string
  readonly #env: Environment
  /** Undefined beside a running collector. */
  readonly #own: Own | undefined
  readonly #namespaces = new Map<string, Namespace>()
  #lastId = 0
  #failing = false

  constructor(path: string, env: Environment, own?: Own) {
    this.#path = path
    this.#env = env
    this.#own = own
    const from = Buffer.from([NAMESPACE_ROW])
    for (const { key, value } of this.range(from, Buffer.from([NAMESPACE_ROW + 1]))) {
      const id = value.readUInt32BE(0)
      this.#namespaces.set(key.toString('utf8', 1), { id, saved: true })
      this.#lastId = Math.max(this.#lastId, id)
    }
  }

  rowKey(kind: number, namespace: string, rest: Buffer): Buffer {
    const key = Buffer.allocUnsafe(1 + ID_BYTES + rest.length)
    key[0] = kind
    key.writeUInt32BE(this.#namespace(namespace).id, 1)
    rest.copy(key, 1 + ID_BYTES)
    return key
  }

  get(key: Buffer): Buffer | undefined {
    return this.#env.getBinary(key)
  }

  *range(from: Buffer, to: Buffer, limit?: number): Iterable<{ key: Buffer; value: Buffer }> {
    const options = { start: from, end: to, ...(limit !== undefined && { limit }) }
    for (const { key, value } of this.#env.getRange(options)) {
      yield { key: Buffer.from(key), value: Buffer.from(value) }
    }
  }

  async write(name: string, rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return
    const namespace = this.#namespace(name)
    if (namespace.id === NOBODYS_ID) {
      throw new PermanentError('unknown_namespace', `The storage in ${this.#path} keeps nothing for ${name}.`)
    }
    try {
      await this.#batch(namespace.saved ? rows : [namespaceRow(name, namespace.id), ...rows])
      namespace.saved = true
      if (this.#failing) this.onTrouble(undefined)
      this.#failing = false
    } catch (error) {
      const clear = await this.#explain(error)
      this.#failing = true
      this.onTrouble(clear)
      throw clear
    }
  }

  async look(): Promise<'there' | 'deleted' | 'replaced'> {
    if (!this.#own) return 'there'
    const found = await identityOf(this.#path)
    if (found === this.#own.identity) return 'there'
    return found === undefined ? 'deleted' : 'replaced'
  }

  async close(): Promise<string | undefined> {
    await this.#env.committed
    try {
      return (await this.look()) === 'there' ? undefined : await this.#save()
    } finally {
      await this.#env.close()
      await this.#own?.lock.release()
    }
  }

  /** Deleted files are there as long as they are open. */
  async #save(): Promise<string> {
    const folder = await folderForCopy(this.#path, `saved-${process.pid}`)
    await this.#env.backup(folder, false)
    await chmod(join(folder, DATA_FILE), 0o600)
    return folder
  }

  /** Runs on a thread of LMDB's; what waits meanwhile goes into the next transaction together. */
  #batch(rows: readonly Row[]): Promise<unknown> {
    return this.#env.batch(() => {
      let last: Promise<boolean> | undefined
      for (const { key, value } of rows) {
        const done = value === undefined ? this.#env.remove(key) : this.#env.put(key, value as Buffer)
        // The batch tells; nobody else listens to the single writes.
        if (done !== last) Promise.resolve(done).catch(() => undefined)
        last = done
      }
    })
  }

  async #explain(error: unknown): Promise<RetryableError> {
    const cause = await Promise.resolve((error as { commitError?: unknown }).commitError).then(
      () => error,
      (reason: unknown) => reason,
    )
    const free = await statfs(this.#path).then(
      ({ bavail, bsize }) => `; ${Math.floor((bavail * bsize) / 2 ** 20)} MiB are free there`,
      () => '',
    )
    // LMDB reports a write that the disk had no room for in full as an input/output error.
    return new RetryableError(
      'storage_write_failed',
      `The storage in ${this.#path} cannot be written (is the disk full?): ${errorText(cause)}${free}.`,
      { cause },
    )
  }

  #namespace(name: string): Namespace {
    let namespace = this.#namespaces.get(name)
    if (!namespace && !this.#own) return { id: NOBODYS_ID, saved: false }
    if (!namespace) {
      namespace = { id: ++this.#lastId, saved: false }
      this.#namespaces.set(name, namespace)
    }
    return namespace
  }
}

function namespaceRow(name: string, id: number): Row {
  const value = Buffer.alloc(ID_BYTES)
  value.writeUInt32BE(id)
  return { key: Buffer.concat([Buffer.from([NAMESPACE_ROW]), Buffer.from(name)]), value }
}
