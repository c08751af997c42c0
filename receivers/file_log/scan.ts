import { stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { escapePath, glob } from 'tinyglobby'
import { errorText } from 'tocsin/component'
import { keyOf } from './opened-file.js'
import type { TrackedFile } from './tracked-file.js'

/** Finds the files that patterns mean, as absolute paths in order. */
export interface Discovery {
  find(): Promise<string[]>
  /** Which of these paths no pattern of `exclude` means. */
  notExcluded(paths: readonly string[]): Promise<readonly string[]>
}

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
  const options = { cwd: '/', absolute: true, dot: true, expandDirectories: false, ignore }
  return {
    async find() {
      return (await glob(patterns, options)).sort()
    },
    async notExcluded(paths) {
      if (ignore.length === 0 || paths.length === 0) return paths
      return (await glob(paths.map(escapePath), options)).sort()
    },
  }
}

export interface Fresh {
  readonly path: string
  /** Another one when the file was written to. */
  readonly version: string
}

export interface Scan {
  /** Files that are not tracked yet, by their places. */
  readonly fresh: ReadonlyMap<string, Fresh>
  /** Tracked files that no pattern finds any more. */
  readonly gone: readonly TrackedFile[]
}

const AT_ONCE = 32

/** Looks which tracked files grew, moved or went, and which are new. Faults go into `problems`, by path. */
export async function scanDisk(
  discovery: Discovery,
  files: ReadonlyMap<string, TrackedFile>,
  problems: Map<string, string>,
  nowMs: number,
): Promise<Scan> {
  let paths: string[]
  try {
    paths = await discovery.find()
  } catch (error) {
    problems.set('include', errorText(error))
    return { fresh: new Map(), gone: [] }
  }
  const seen = new Map<TrackedFile, string[]>()
  const fresh = new Map<string, Fresh>()
  await forEach(paths, problems, async path => {
    const stats = await stat(path, { bigint: true })
    // Behind a symbolic link may be a pipe or a device; to open a pipe is to wait for its writer.
    if (!stats.isFile()) throw new Error(`${path} is no regular file; leave it out with exclude`)
    const key = keyOf({ device: `${stats.dev}`, inode: `${stats.ino}` })
    const file = files.get(key)
    if (!file) {
      if (!fresh.has(key)) fresh.set(key, { path, version: `${stats.size}:${stats.mtimeNs}` })
      return
    }
    const places = seen.get(file)
    if (places) places.push(path)
    else seen.set(file, [path])
    file.noteSize(stats.size, stats.mtimeNs, nowMs)
  })
  const gone: TrackedFile[] = []
  for (const file of files.values()) {
    const places = seen.get(file)
    file.gone = places === undefined
    if (!places) gone.push(file)
    else if (!places.includes(file.path)) {
      const path = places[0] as string
      if (file.realPath === file.path) file.realPath = path
      file.path = path
    }
  }
  return { fresh, gone }
}

/** Runs a task on each path, some at once. That a file is not there any more is no fault; others go into `problems`. */
export async function forEach(
  paths: readonly string[],
  problems: Map<string, string>,
  task: (path: string) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    await Promise.all(paths.slice(at, at + AT_ONCE).map(path => attempt(path, problems, () => task(path))))
  }
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
