import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Clock, PermanentError } from 'tocsin/component'

const HEARTBEAT_MS = 5_000
/** On another host (a container, a network disk) only the age of the file tells whether its owner lives. */
const DEAD_AFTER_MS = 30_000
/** A lock file is empty for a moment while it is made. */
const MADE_WITHIN_MS = 2_000
const RETRY_MS = 50

interface Owner {
  readonly pid: number
  readonly host: string
  /** Tells a process from a later one of the same pid; '' where the system does not say. */
  readonly started: string
  readonly token: string
}

export interface DirectoryLock {
  release(): Promise<void>
}

/**
 * Locks a directory against other processes by a file in it. A lock whose process is gone is taken over. Throws
 * `storage_in_use`, naming the process, when its owner still lives after `timeoutMs`.
 */
export async function lockDirectory(
  directory: string,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<DirectoryLock> {
  const file = join(directory, 'tocsin.lock')
  const owner: Owner = {
    pid: process.pid,
    host: hostname(),
    started: (await startOf(process.pid)) ?? '',
    token: randomUUID(),
  }
  const deadline = clock.monotonicMs() + timeoutMs
  for (;;) {
    if (await create(file, owner)) break
    const other = await read(file)
    if (other === 'gone') continue
    if (await lives(other, file)) {
      if (clock.monotonicMs() >= deadline) throw inUse(directory, other.owner)
      await clock.sleep(RETRY_MS)
    } else await takeAway(file, other)
  }
  return { release: keepAlive(file, owner, clock) }
}

interface Found {
  readonly text: string
  readonly owner: Owner | undefined
}

async function create(file: string, owner: Owner): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(owner), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function read(file: string): Promise<Found | 'gone'> {
  try {
    const text = await readFile(file, 'utf8')
    try {
      return { text, owner: JSON.parse(text) as Owner }
    } catch {
      return { text, owner: undefined }
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return 'gone'
    throw error
  }
}

async function lives({ owner }: Found, file: string): Promise<boolean> {
  const ageMs = await stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => Number.POSITIVE_INFINITY,
  )
  if (!owner) return ageMs < MADE_WITHIN_MS
  if (owner.host !== hostname()) return ageMs < DEAD_AFTER_MS
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    // EPERM: it lives, under another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const started = await startOf(owner.pid)
  return started === undefined || owner.started === '' || started === owner.started
}

/** Two starters may find the same dead lock: whoever moved a lock that was not that one puts it back. */
async function takeAway(file: string, dead: Found): Promise<void> {
  const aside = `${file}.${randomUUID()}`
  try {
    await rename(file, aside)
  } catch {
    return
  }
  const moved = await readFile(aside, 'utf8')
  if (moved === dead.text) await rm(aside, { force: true })
  else await rename(aside, file)
}

function keepAlive(file: string, owner: Owner, clock: Clock): () => Promise<void> {
  let cancel: () => void = () => undefined
  const beat = (): void => {
    void renew(file, owner)
    cancel = clock.schedule(HEARTBEAT_MS, beat)
  }
  cancel = clock.schedule(HEARTBEAT_MS, beat)
  return async () => {
    cancel()
    const found = await read(file)
    if (found !== 'gone' && found.owner?.token === owner.token) await rm(file, { force: true })
  }
}

/** One that was deleted is written again, as long as no other process has the directory. */
async function renew(file: string, owner: Owner): Promise<void> {
  try {
    const found = await read(file)
    const now = new Date()
    if (found === 'gone') await create(file, owner)
    else if (found.owner?.token === owner.token) await utimes(file, now, now)
  } catch {
    // The directory is gone, or the disk fails: who watches it tells.
  }
}

/** Boot and start time of a process, from /proc; undefined where there is none. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const [boot, text] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ])
    // The name of the program, in brackets, may hold spaces; the start time is the 22nd field.
    const ticks = text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
    return `${boot.trim()} ${ticks}`
  } catch {
    return undefined
  }
}

function inUse(directory: string, owner: Owner | undefined): PermanentError {
  const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process'
  return new PermanentError(
    'storage_in_use',
    `The storage directory ${directory} is in use by ${who}. Stop that process, or give this collector a directory of its own.`,
  )
}
