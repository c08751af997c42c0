import { stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { escapePath, glob } from 'tinyglobby'
import { errorText } from 'tocsin/component'
import { keyOf, type TrackedFile } from './tracked-file.js'

/** Finds the files that patterns mean, as absolute paths in order. */
export type Discovery = () => Promise<string[]>

export function createDiscovery(
  include: readonly string[],
  exclude: readonly string[],
  baseDir: string,
): Discovery {
  const base = escapePath(baseDir)
  const patterns = include.map(pattern => (isAbsolute(pattern) ? pattern : join(base, pattern)))
  const ignore = exclude.map(pattern => {
    if (isAbsolute(pattern)) return pattern
    // `**/x` means anywhere, not only below the folder of the configuration.
    return pattern.startsWith('**/') ? `/${pattern}` : join(base, pattern)
  })
  return async () => {
    const paths = await glob(patterns, {
      cwd: '/',
      absolute: true,
      dot: true,
      expandDirectories: false,
      ignore,
    })
    return paths.sort()
  }
}

export interface Scan {
  /** Paths of files that are not tracked yet, one for each. */
  readonly fresh: readonly string[]
  /** Tracked files that no pattern finds any more. */
  readonly gone: readonly TrackedFile[]
}

const STATS_AT_ONCE = 32

/** Looks which tracked files grew, moved or went, and which are new. Faults go into `problems`, by path. */
export async function scanDisk(
  discover: Discovery,
  files: ReadonlyMap<string, TrackedFile>,
  problems: Map<string, string>,
  nowMs: number,
): Promise<Scan> {
  let paths: string[]
  try {
    paths = await discover()
  } catch (error) {
    problems.set('include', errorText(error))
    return { fresh: [], gone: [] }
  }
  const seen = new Map<TrackedFile, string[]>()
  const fresh = new Map<string, string>()
  const look = async (path: string): Promise<void> => {
    const stats = await stat(path, { bigint: true })
    // Behind a symbolic link may be a pipe or a device; to open a pipe is to wait for its writer.
    if (!stats.isFile()) throw new Error(`${path} is no regular file; leave it out with exclude`)
    const key = keyOf({ device: `${stats.dev}`, inode: `${stats.ino}` })
    const file = files.get(key)
    if (file) {
      seen.set(file, [...(seen.get(file) ?? []), path])
      file.noteSize(stats.size, stats.mtimeNs, nowMs)
    } else if (!fresh.has(key)) fresh.set(key, path)
  }
  for (let at = 0; at < paths.length; at += STATS_AT_ONCE) {
    const some = paths.slice(at, at + STATS_AT_ONCE)
    await Promise.all(some.map(path => attempt(path, problems, () => look(path))))
  }
  const gone: TrackedFile[] = []
  for (const file of files.values()) {
    const places = seen.get(file)
    file.gone = places === undefined
    if (!places) gone.push(file)
    else if (!places.includes(file.path)) file.path = places[0] as string
  }
  return { fresh: [...fresh.values()], gone }
}

/** Runs a task on a file. That it is not there any more is no fault. */
export async function attempt(
  path: string,
  problems: Map<string, string>,
  task: () => Promise<void>,
): Promise<void> {
  try {
    await task()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') problems.set(path, errorText(error))
  }
}
