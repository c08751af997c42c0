import { byAge, byDateInName, compareAge, type Dated, isSurelyOlder } from './age.js'
import { isSameUpTo } from './copies.js'
import type { Fingerprint } from './fingerprint.js'
import type { Entry } from './folders.js'
import type { KnownFiles } from './known-files.js'
import { keyOf, type OpenedFile } from './opened-file.js'
import { datedName, mayBeOfAnother, originalsOf } from './rotated-names.js'
import type { Discovery } from './scan.js'
import type { TrackedFile } from './tracked-file.js'

export interface GenerationsParts {
  readonly discovery: Discovery
  readonly files: KnownFiles
}

/** A name that a known file had, and another has now. */
export interface Rotation {
  readonly known: Fingerprint
  /** When the known content was last written to; undefined when nothing says it. */
  readonly mtimeNs: bigint | undefined
  /** Where it is now. */
  readonly path: string | undefined
  readonly newest: TrackedFile
  /** The name belongs to the same file as before, which was perhaps truncated: what is surely newer is to be read, and no more. */
  readonly inPlace?: boolean
}

/** What a log file was before: copies of it, what was rotated in between, and the order of it all. */
export class Generations {
  readonly #parts: GenerationsParts

  constructor(parts: GenerationsParts) {
    this.#parts = parts
  }

  /**
   * The copy that a rotation by copy and truncate made of a file, beside it; to be closed by the caller. Of several the newest:
   * an older one may not have the last lines. 'later': it was made in the place of a copy that is being read, which its reader does
   * not know yet, or files are being renamed.
   */
  async copyOf(known: Fingerprint): Promise<OpenedFile | 'later' | undefined> {
    if (known.head.length === 0) return undefined
    const { files } = this.#parts
    const { folders, tracked } = files
    for (const entry of byAge(await folders.rotatedFrom(known.home)).reverse()) {
      const read = tracked.get(entry.key)
      if (read && !read.dirty) continue
      const found = await this.#look(entry)
      if (found === 'renamed') return 'later'
      if (!found) continue
      const isText = typeof found.format === 'string'
      const isCopy = isText && (await found.tailWhenSame(known).catch(() => undefined)) !== undefined
      if (isCopy && !read) return found
      const isNew = isCopy && read && !(await found.tailWhenSame(read.fingerprint()))
      await found.close()
      if (isNew) return 'later'
    }
    return undefined
  }

  /** Which names belong to other contents than before. */
  async rotations(
    added: ReadonlySet<TrackedFile>,
    owners: ReadonlyMap<string, TrackedFile>,
  ): Promise<readonly Rotation[]> {
    const { folders, missing } = this.#parts.files
    const rotations: Rotation[] = []
    const newest = new Map<string, TrackedFile>()
    for (const file of added) if (!file.gone) newest.set(file.realPath, file)
    for (const [path, owner] of owners) {
      const file = newest.get(owner.home)
      if (!file || file === owner || owner.home !== path) continue
      // One of several generations that the patterns find.
      if (originalsOf(path).some(original => owners.has(original))) continue
      const entry = await folders.locate(owner.home, owner.place)
      rotations.push({ known: owner.fingerprint(), mtimeNs: owner.mtimeNs, path: entry?.path, newest: file })
    }
    for (const file of added) {
      const now = newest.get(file.home)
      if (!now || now === file) continue
      const { mtimeNs, realPath: path, writtenNs = mtimeNs } = file
      rotations.push({ known: file.fingerprint(), mtimeNs: writtenNs, path, newest: now })
    }
    for (const known of missing.list()) {
      const now = newest.get(known.home)
      if (!now || known.missingSinceMs !== undefined || known.mtimeNs === undefined) continue
      const inPlace = known.head.length === 0
      rotations.push({ known, mtimeNs: known.mtimeNs, path: undefined, newest: now, inPlace })
    }
    return rotations
  }

  /**
   * Files that were rotated after a known one and before the newest, and that no pattern finds; to be closed. 'later': files are
   * being renamed.
   */
  async between({
    known,
    mtimeNs,
    path,
    newest,
    inPlace = false,
  }: Rotation): Promise<OpenedFile[] | 'later'> {
    const { discovery, files } = this.#parts
    const { folders, tracked } = files
    if (mtimeNs === undefined) return []
    const since = { mtimeNs, path: path ?? '' }
    const until = dated(newest)
    const entries = (await folders.rotatedFrom(known.home)).filter(
      entry =>
        !tracked.has(entry.key) &&
        originalsOf(entry.path).some(
          original => original === known.home || originalsOf(original).includes(known.home),
        ) &&
        (inPlace ? entry.mtimeNs > mtimeNs && !mayBeOfAnother(entry.path) : mayFollow(entry, since)) &&
        compareAge(entry, until).order < 0,
    )
    const allowed = new Set(await discovery.notExcluded(entries.map(entry => entry.path)))
    const found: OpenedFile[] = []
    const copies: Dated[] = []
    for (const entry of byAge(entries)) {
      if (!allowed.has(entry.path)) continue
      const one = await this.#look(entry)
      if (one === 'renamed') {
        await Promise.all(found.map(other => other.close()))
        return 'later'
      }
      if (!one) continue
      // Another copy of what is known is no generation of its own.
      const isText = typeof one.format === 'string'
      const isCopy = isText && known.offset > 0 && (await one.tailWhenSame(known))
      const isWhole = isText && inPlace && (await this.#holdsAllOf(newest, one))
      if (isCopy) copies.push(entry)
      if (isCopy || isWhole || !isText) await one.close()
      else found.push(one)
    }
    // A copy has the time of its making, as have those of what was before it: that is known too.
    const isOlder = (one: OpenedFile) => copies.some(copy => isSurelyOlder(one, copy))
    await Promise.all(found.filter(isOlder).map(one => one.close()))
    return found.filter(one => !isOlder(one))
  }

  /** Opens a file that was found by its name, unless it has another by now; undefined when it cannot be read. */
  async #look({ path, key }: Entry): Promise<OpenedFile | 'renamed' | undefined> {
    const found = await this.#parts.files.look(path).catch(() => 'unreadable' as const)
    if (found === 'unreadable') return undefined
    if (found && keyOf(found.place) === key) return found
    await found?.close()
    return 'renamed'
  }

  /** True for a copy that was made and the file not truncated since: all of it is still there. */
  async #holdsAllOf(file: TrackedFile, copy: OpenedFile): Promise<boolean> {
    const length = await copy.bytes()
    if (length > file.size || !(await this.#parts.files.open(file))) return false
    return isSameUpTo(length, copy, { read: (at, size) => file.look(at, size) })
  }

  /** Files that were added wait for what is older of their name. */
  order(added: ReadonlySet<TrackedFile>, owners: ReadonlyMap<string, TrackedFile>): void {
    if (added.size === 0) return
    const { tracked } = this.#parts.files
    const homes = new Set<string>()
    for (const file of tracked.values()) homes.add(file.home).add(file.realPath)
    const families = new Map<string, TrackedFile[]>()
    for (const file of tracked.values()) {
      const family = familyOf(file, homes)
      const members = families.get(family)
      if (members) members.push(file)
      else families.set(family, [file])
    }
    for (const [family, members] of families) {
      if (members.length === 1) continue
      const isNewest = (file: TrackedFile): boolean => file.realPath === family && !file.gone
      const isDated = members.some(({ home }) => datedName(home)?.family === family)
      const older = (isDated ? byDateInName : byAge)(members.filter(file => !isNewest(file)).map(dated))
      const ordered = [...older.map(({ file }) => file), ...members.filter(isNewest)]
      ordered.forEach((file, index) => {
        const awaited = awaitedBy(file)
        // What was copied before it was truncated comes before what is written to it now.
        const goesOn = isNewest(file) || file.offset === 0
        // The nearest first: the others are mostly what that one waits for.
        for (const before of ordered.slice(0, index).reverse())
          if (added.has(file) || (goesOn && added.has(before))) follow(file, before, awaited)
      })
    }
    // A symbolic link that points elsewhere now.
    for (const file of added) {
      // One that was moved away may still have the path of the file that came after it.
      const owner = file.gone ? undefined : owners.get(file.path)
      if (owner && owner !== file && tracked.get(owner.key) === owner) follow(file, owner, awaitedBy(file))
    }
  }
}

/** What was written at the same time, as far as times and names say, is read: better twice than never. */
function mayFollow(entry: Dated, since: Dated): boolean {
  const { order, reason } = compareAge(entry, since)
  return order > 0 || reason === 'unclear'
}

function follow(file: TrackedFile, before: TrackedFile, awaited: Set<TrackedFile>): void {
  if (before.done || awaited.has(before)) return
  const beforeThat = awaitedBy(before)
  // Two that wait for each other would never be read.
  if (beforeThat.has(file)) return
  // It may have grown since it was read.
  before.dirty = true
  file.waitsFor.push({ file: before })
  for (const one of beforeThat.add(before)) awaited.add(one)
}

/** What a file waits for, and what that waits for. */
function awaitedBy(file: TrackedFile): Set<TrackedFile> {
  const all = new Set<TrackedFile>()
  const open = [file]
  for (let one = open.pop(); one; one = open.pop()) {
    for (const { file: before } of one.waitsFor) {
      if (all.has(before)) continue
      all.add(before)
      open.push(before)
    }
  }
  return all
}

/**
 * The path of the file that a file was rotated from, when there is one, else its own. Of names with a date it is the name without:
 * of others that only look alike (`app-1.log` and `app-2.log`) each is the log of another program.
 */
function familyOf({ home }: TrackedFile, homes: ReadonlySet<string>): string {
  const path = originalsOf(home).find(original => homes.has(original)) ?? home
  return datedName(path)?.family ?? path
}

function dated(file: TrackedFile) {
  return { mtimeNs: file.mtimeNs, path: file.realPath, file }
}
