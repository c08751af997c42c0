import { dirname } from 'node:path'
import { findInFolder } from './opened-file.js'
import type { TrackedFile } from './tracked-file.js'

/** The open handles, at most `max`: the least recently used is closed, to be opened again when it is needed. */
export class OpenFiles {
  readonly #max: number
  readonly #onChange: (change: number) => void
  /** In order of use. */
  readonly #open = new Set<TrackedFile>()

  constructor(max: number, onChange: (change: number) => void) {
    this.#max = max
    this.#onChange = onChange
  }

  /** Opens the file, wherever in its folder it was moved; false when it is not to be found. */
  async use(file: TrackedFile): Promise<boolean> {
    if (!file.isOpen && !(await file.reopen())) {
      const path = await findInFolder(dirname(file.path), file.place)
      if (path === undefined) return false
      file.path = path
      if (!(await file.reopen())) return false
    }
    await this.opened(file)
    return true
  }

  /** Notes that the file was opened or used. */
  async opened(file: TrackedFile): Promise<void> {
    if (this.#open.delete(file)) {
      this.#open.add(file)
      return
    }
    this.#open.add(file)
    this.#onChange(1)
    for (const other of this.#open) {
      if (this.#open.size <= this.#max) return
      // A deleted file cannot be opened again; a moved one only while it stays in its folder.
      if (other !== file && !other.gone) await this.close(other)
    }
  }

  async close(file: TrackedFile): Promise<void> {
    if (this.#open.delete(file)) this.#onChange(-1)
    await file.letGo()
  }

  async closeAll(): Promise<void> {
    for (const file of [...this.#open]) await this.close(file)
  }
}
