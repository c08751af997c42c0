import type { Clock } from 'tocsin/component'
import { byAge } from './age.js'
import { Archives } from './archives.js'
import type { CopyOrigins } from './copy-origin.js'
import type { KnownFiles } from './known-files.js'
import type { Notices } from './notices.js'
import { keyOf, type OpenedFile } from './opened-file.js'
import { originalsOf } from './rotated-names.js'
import { type Fresh, forEach } from './scan.js'

/** So many files that a scan finds stay open for their first reading. */
const KEPT_OPEN = 256

export interface FoundFilesParts {
  readonly files: KnownFiles
  readonly clock: Clock
  readonly notices: Notices
  readonly origins: CopyOrigins
}

/** Opens what a scan finds, but for files that hold no log lines and for archives that are still being written. */
export class FoundFiles {
  readonly #parts: FoundFilesParts
  readonly #archives: Archives
  /** Files that hold no log lines, or none yet, with their size and time. */
  #leftOut = new Map<string, string>()

  constructor(parts: FoundFilesParts) {
    this.#parts = parts
    this.#archives = new Archives(parts.clock)
  }

  /**
   * The older first; `deferred`: an archive is to be looked at again. `owners`: what is read, by path. Faults go into `problems`,
   * by path.
   */
  async open(
    fresh: ReadonlyMap<string, Fresh>,
    owners: ReadonlyMap<string, unknown>,
    problems: Map<string, string>,
  ): Promise<{ readonly found: OpenedFile[]; readonly deferred: boolean }> {
    const { files, notices } = this.#parts
    const found: OpenedFile[] = []
    let deferred = false
    this.#archives.begin()
    const leftOut = new Map<string, string>()
    const paths = new Map<string, string>()
    for (const [key, { path, version }] of fresh) {
      if (this.#leftOut.get(key) === version) leftOut.set(key, version)
      else paths.set(path, version)
    }
    await forEach([...paths.keys()], problems, async path => {
      const one = await files.look(path)
      if (!one) return
      const version = paths.get(path) as string
      if (typeof one.format === 'object') {
        leftOut.set(keyOf(one.place), version)
        notices.leftOut(path, one.format.leftOut)
        await one.close()
        return
      }
      // An empty file with the name of a copy may be one that is about to be made: nothing is to be read of it yet.
      if (one.size === 0 && originalsOf(one.realPath).some(path => owners.has(path))) {
        leftOut.set(keyOf(one.place), version)
        await one.close()
        return
      }
      found.push(one)
      const readiness = one.compressed ? await this.#readiness(one, version) : 'take'
      if (readiness !== 'take') {
        if (readiness === 'wait') deferred = true
        else leftOut.set(keyOf(one.place), version)
        found.splice(found.indexOf(one), 1)
        await one.close()
        return
      }
      if (found.length > KEPT_OPEN) await one.close()
    })
    this.#leftOut = leftOut
    notices.saidLeftOut()
    return { found: byAge(found), deferred }
  }

  async #readiness(one: OpenedFile, version: string): Promise<'take' | 'wait' | 'nothing new'> {
    const readiness = await this.#archives.readiness(one, keyOf(one.place), version)
    if (typeof readiness === 'string') return readiness
    const { bytes: readBytes, end } = readiness
    if (!this.#parts.origins.holdsOnlyKnown(one, readBytes)) return 'take'
    this.#parts.notices.archive(one.path, { end, readBytes, fileBytes: one.size })
    return 'nothing new'
  }
}
