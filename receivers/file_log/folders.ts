import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type FilePlace, keyOf } from './opened-file.js'
import { isRotatedName, stemsOf } from './rotated-names.js'

/** A file as the disk has it. */
export interface Entry {
  readonly path: string
  readonly key: string
  readonly size: bigint
  readonly mtimeNs: bigint
}

/** A folder with more entries than this is not searched. */
const MAX_NAMES = 200_000
const STATS_AT_ONCE = 32
/** How often a folder is read again in which something was renamed meanwhile. */
const TURNS = 3

/** What stands in folders, read once for each scan, so that a thousand files cost one look and not a thousand. */
export class Folders {
  /** In order. */
  readonly #names = new Map<string, Promise<readonly string[]>>()
  /** When the folders had last changed before their names were read. */
  readonly #changedNs = new Map<string, Promise<bigint | undefined>>()
  readonly #entries = new Map<string, Promise<Entry | undefined>>()
  readonly #byKey = new Map<string, Promise<ReadonlyMap<string, Entry>>>()

  forget(): void {
    this.#names.clear()
    this.#changedNs.clear()
    this.#entries.clear()
    this.#byKey.clear()
  }

  /**
   * Files beside another that may be copies or former contents of it, by their names. A rotation that comes between the look at
   * the names and that at the files would hide one: then the folder is read again.
   */
  async rotatedFrom(original: string): Promise<Entry[]> {
    const folder = dirname(original)
    for (let turn = 1; ; turn++) {
      const entries = await this.#rotatedIn(folder, original)
      if (turn === TURNS || (await this.#changedNs.get(folder)) === (await changedNs(folder))) return entries
      this.forget()
    }
  }

  async #rotatedIn(folder: string, original: string): Promise<Entry[]> {
    const names = await this.#namesIn(folder)
    const found: Promise<Entry | undefined>[] = []
    for (const stem of stemsOf(original)) {
      for (let at = firstNotBefore(names, stem); names[at]?.startsWith(stem); at++) {
        const path = join(folder, names[at] as string)
        if (path !== original && isRotatedName(path, original)) found.push(this.at(path))
      }
    }
    return (await Promise.all(found)).filter(entry => entry !== undefined)
  }

  /** Where a file is now that was at `path`; undefined when it is not in that folder any more. */
  async locate(path: string, place: FilePlace): Promise<Entry | undefined> {
    const key = keyOf(place)
    for (const entry of [await this.at(path), ...(await this.rotatedFrom(path))]) {
      if (entry?.key === key) return entry
    }
    const folder = dirname(path)
    let entries = this.#byKey.get(folder)
    if (!entries) {
      entries = this.#allIn(folder)
      this.#byKey.set(folder, entries)
    }
    return (await entries).get(key)
  }

  /**
   * A file at the path of one that stands under another now is a new one, though it holds the same. When the known one is gone,
   * an editor wrote it, or the file system gives other inodes.
   */
  async wasRenamed(home: string, place: FilePlace, path: string): Promise<boolean> {
    return path === home && (await this.locate(home, place)) !== undefined
  }

  /** The regular file at a path. */
  at(path: string): Promise<Entry | undefined> {
    let entry = this.#entries.get(path)
    if (!entry) {
      entry = stat(path, { bigint: true }).then(
        stats => {
          if (!stats.isFile()) return undefined
          const key = keyOf({ device: `${stats.dev}`, inode: `${stats.ino}` })
          return { path, key, size: stats.size, mtimeNs: stats.mtimeNs }
        },
        () => undefined,
      )
      this.#entries.set(path, entry)
    }
    return entry
  }

  async #allIn(folder: string): Promise<ReadonlyMap<string, Entry>> {
    const names = await this.#namesIn(folder)
    const entries = new Map<string, Entry>()
    for (let at = 0; at < names.length; at += STATS_AT_ONCE) {
      const some = names.slice(at, at + STATS_AT_ONCE).map(name => this.at(join(folder, name)))
      for (const entry of await Promise.all(some)) if (entry) entries.set(entry.key, entry)
    }
    return entries
  }

  #namesIn(folder: string): Promise<readonly string[]> {
    let names = this.#names.get(folder)
    if (!names) {
      const changed = changedNs(folder)
      this.#changedNs.set(folder, changed)
      names = changed
        .then(() => readdir(folder))
        .then(
          all => (all.length > MAX_NAMES ? [] : all.sort()),
          () => [],
        )
      this.#names.set(folder, names)
    }
    return names
  }
}

function changedNs(folder: string): Promise<bigint | undefined> {
  return stat(folder, { bigint: true }).then(
    ({ mtimeNs }) => mtimeNs,
    () => undefined,
  )
}

/** Where in names in order the first one stands that is not before `name`. */
function firstNotBefore(names: readonly string[], name: string): number {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((names[middle] as string) < name) low = middle + 1
    else high = middle
  }
  return low
}
