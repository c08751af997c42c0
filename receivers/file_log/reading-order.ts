import type { Clock } from 'tocsin/component'
import type { Folders } from './folders.js'
import type { KnownFiles } from './known-files.js'
import type { TrackedFile } from './tracked-file.js'

/** Whether a file may be read yet, or an older one of its name comes first. */
export class ReadingOrder {
  readonly #files: KnownFiles
  readonly #clock: Clock

  constructor(files: KnownFiles, clock: Clock) {
    this.#files = files
    this.#clock = clock
  }

  /** True while another file holds what must come first. */
  async mustWait(file: TrackedFile): Promise<boolean> {
    if (this.#files.truncated.has(file) || file.isCopy || file.waitsForFormer) return true
    if (file.waitsFor.length === 0) return false
    // Who writes to the new file has gone over to it: what the old one holds from then on comes first. One that was truncated is
    // read, to know that.
    if (file.size === 0n && file.isUnseen) return true
    const left: typeof file.waitsFor = []
    const awaited = [...file.waitsFor]
    const known = new Set(awaited.map(before => before.file))
    for (const before of awaited) {
      if (!(await this.#isPast(before))) left.push(before)
      else {
        // It is past, what it waits for may not be: an empty file, one that went away.
        const older = before.file.waitsFor.filter(other => !known.has(other.file))
        for (const other of older) known.add(other.file)
        awaited.push(...older)
      }
    }
    file.waitsFor = left
    return left.length > 0
  }

  async #isPast(before: TrackedFile['waitsFor'][number]): Promise<boolean> {
    const { folders, problems, tracked, truncated } = this.#files
    const { file } = before
    if (tracked.get(file.key) !== file || file.isCopy || problems.has(file.path)) return true
    if (before.upTo === undefined) {
      const stats = await statsOf(file, folders)
      if (!stats) return true
      file.noteSize(stats.size, stats.mtimeNs, this.#clock.monotonicMs())
      file.superseded = true
      before.upTo = Number(stats.size)
    }
    if (file.remainder || truncated.has(file)) return false
    if (!file.compressed && file.offset >= before.upTo) return true
    return !file.dirty && file.pending === 0
  }
}

/** What the disk says of a file that no pattern may find any more; undefined when it is not to be found. */
export async function statsOf(
  file: TrackedFile,
  folders: Folders,
): Promise<{ readonly size: bigint; readonly mtimeNs: bigint } | undefined> {
  if (file.isOpen) return file.stat()
  const entry = await folders.locate(file.realPath, file.place)
  if (!entry) return undefined
  file.path = entry.path
  file.realPath = entry.path
  file.located = true
  return entry
}
