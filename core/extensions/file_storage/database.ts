import { access, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, errorText, PermanentError } from 'tocsin/component'
import { damageOf } from './damage.js'
import { lockDirectory } from './directory-lock.js'
import { DATA_FILE, identityOf, makeFilesPrivate, makeFolder } from './folder.js'
import { OpenDatabase, openEnvironment, type Row } from './open-database.js'
import type { SharedState } from './shared-state.js'

export interface DatabaseOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  /** A write failed (the disk is full), or works again. */
  readonly onTrouble: (error: Error | undefined) => void
}

/** One LMDB environment, shared by all namespaces and by the extension's instances before and after a reload. */
export interface Database {
  /** The key of a row of a namespace: `kind`, the namespace's number, `rest`. At most 1978 bytes. */
  rowKey(kind: number, namespace: string, rest: Buffer): Buffer
  get(key: Buffer): Buffer | undefined
  /** Rows with `from <= key < to`. The buffers are the caller's. */
  range(from: Buffer, to: Buffer, limit?: number): Iterable<{ readonly key: Buffer; readonly value: Buffer }>
  /** All or nothing, in the order of the calls; resolves when they are durable. */
  write(namespace: string, rows: readonly Row[]): Promise<void>
  /** What the namespaces keep in memory. */
  readonly states: Map<string, SharedState<unknown>>
  /** Whether its files still stand where they were opened: others may have deleted or replaced them. */
  look(): Promise<'there' | 'deleted' | 'replaced'>
  /** When the files do not stand there any more, their content is saved: answers where. Rejects when it is lost. */
  close(): Promise<string | undefined>
}

interface Shared {
  readonly opening: Promise<OpenDatabase>
  holders: number
}

/** Of this process: LMDB must not open one twice. */
const environments = new Map<string, Shared>()

/**
 * Opens beside a collector that may be running: without the lock, and without new namespaces, whose numbers two
 * processes could give away twice. LMDB keeps writers apart. Throws `storage_missing` or `storage_damaged`.
 */
export async function attachDatabase(directory: string, options: DatabaseOptions): Promise<Database> {
  let path: string
  try {
    path = await realpath(directory)
    await access(join(path, DATA_FILE))
  } catch {
    throw new PermanentError(
      'storage_missing',
      `There is no storage in ${directory}: no collector has run with it yet.`,
    )
  }
  const shared = environments.get(path)
  if (shared) {
    shared.holders++
    return holder(await shared.opening, () => letGo(path, shared))
  }
  await refuseDamaged(path)
  const database = new OpenDatabase(path, await openEnvironment(path))
  database.onTrouble = options.onTrouble
  return holder(database, () => database.close())
}

/** Throws `storage_in_use`, `storage_damaged`, or `storage_unusable` when the directory cannot be made or written. */
export async function openDatabase(directory: string, options: DatabaseOptions): Promise<Database> {
  const path = await makeFolder(directory)
  let shared = environments.get(path)
  if (!shared) {
    shared = { opening: openLocked(path, options), holders: 0 }
    environments.set(path, shared)
  }
  shared.holders++
  try {
    const database = await shared.opening
    database.onTrouble = options.onTrouble
    return holder(database, () => letGo(path, shared))
  } catch (error) {
    environments.delete(path)
    throw error
  }
}

async function openLocked(path: string, options: DatabaseOptions): Promise<OpenDatabase> {
  const lock = await lockDirectory(path, options)
  try {
    await refuseDamaged(path)
    await makeFilesPrivate(path)
    return new OpenDatabase(path, await openEnvironment(path), { lock, identity: await identityOf(path) })
  } catch (error) {
    await lock.release()
    if (error instanceof PermanentError) throw error
    throw new PermanentError('storage_unusable', `The storage in ${path}: ${errorText(error)}`)
  }
}

async function refuseDamaged(path: string): Promise<void> {
  const file = join(path, DATA_FILE)
  const damage = await damageOf(file)
  if (damage === undefined) return
  const fix = 'bring back a copy, or move it away to begin anew: queues, checkpoints and state in it are lost'
  throw new PermanentError('storage_damaged', `The storage ${file} is damaged: ${damage} (${fix}).`)
}

function holder(database: OpenDatabase, close: () => Promise<string | undefined>): Database {
  let open = true
  return {
    rowKey: (kind, namespace, rest) => database.rowKey(kind, namespace, rest),
    get: key => database.get(key),
    range: (from, to, limit) => database.range(from, to, limit),
    write: (namespace, rows) => database.write(namespace, rows),
    states: database.states,
    look: () => database.look(),
    close: async () => {
      if (!open) return undefined
      open = false
      return close()
    },
  }
}

async function letGo(path: string, shared: Shared): Promise<string | undefined> {
  if (--shared.holders > 0) return undefined
  environments.delete(path)
  const database = await shared.opening
  return database.close()
}
