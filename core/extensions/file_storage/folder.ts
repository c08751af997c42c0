import { chmod, type FileHandle, lstat, mkdir, open, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { errorText, PermanentError } from 'tocsin/component'

const OTHERS_WRITE = 0o002
const STICKY = 0o1000
/** What LMDB keeps in a folder. */
export const DATA_FILE = 'data.mdb'
const FILES = [DATA_FILE, 'lock.mdb']

/** Makes the folder, for its user alone, when it is not there. Answers its real path; throws `storage_unusable`. */
export async function makeFolder(directory: string): Promise<string> {
  try {
    const made = await mkdir(directory, { recursive: true, mode: 0o700 })
    // The umask has taken bits away from what was made, never added any; an existing directory stays as it is.
    if (made) await chmod(directory, 0o700)
    return await realpath(directory)
  } catch (error) {
    throw new PermanentError('storage_unusable', `The storage directory ${directory}: ${errorText(error)}`)
  }
}

/** LMDB would make its files readable for the group and others: they are there before it, for their user alone. */
export async function makeFilesPrivate(path: string): Promise<void> {
  for (const name of FILES) {
    let file: FileHandle | undefined
    try {
      file = await open(join(path, name), 'a', 0o600)
      if (((await file.stat()).mode & 0o077) !== 0) await file.chmod(0o600)
    } catch {
      // LMDB says why it cannot be opened; a file of another user keeps its mode.
    } finally {
      await file?.close()
    }
  }
}

/** Who else may change what is in the folder, and what to do about it; undefined when nobody can. */
export async function exposure(directory: string): Promise<string | undefined> {
  const path = await realpath(directory)
  const modeOf = async (of: string): Promise<number> => (await stat(of)).mode
  const isLink = (await lstat(directory)).isSymbolicLink()
  const name = isLink ? `${directory}, a link to ${path},` : directory
  if (((await modeOf(path)) & OTHERS_WRITE) !== 0) {
    return `Every user can write to the storage directory ${name} and could change or delete what is in it: chmod 700 ${path}, or set directory to one that only this user can write to.`
  }
  const parents = [...new Set([dirname(path), ...(isLink ? [dirname(resolve(directory))] : [])])]
  for (const parent of parents) {
    const mode = await modeOf(parent)
    if ((mode & OTHERS_WRITE) === 0 || (mode & STICKY) !== 0) continue
    return `Every user can replace the storage directory ${name}, because every user can write to ${parent}: chmod o-w ${parent}, or set directory to one below a folder that only this user can write to.`
  }
  return undefined
}

/** Tells the files of a folder from others that come to stand there; undefined when one of them is not there. */
export async function identityOf(path: string): Promise<string | undefined> {
  try {
    const found = await Promise.all(FILES.map(name => stat(join(path, name), { bigint: true })))
    return found.map(({ dev, ino }) => `${dev}:${ino}`).join(' ')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/**
 * Makes a folder for a copy of what the folder at `path` held: that one, when it is gone or holds no other database,
 * else one beside it.
 */
export async function folderForCopy(path: string, suffix: string): Promise<string> {
  const free = await mkdir(path, { recursive: true, mode: 0o700 }).then(
    async () => (await Promise.all(FILES.map(name => exists(join(path, name))))).every(there => !there),
    () => false,
  )
  if (free) return path
  const beside = `${path}.${suffix}`
  await mkdir(beside, { mode: 0o700 })
  return beside
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
