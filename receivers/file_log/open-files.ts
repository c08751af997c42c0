import type { TrackedFile } from './tracked-file.js'

/** How many files are looked at for one that can be closed. */
const LOOKS = 8

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

  /** There is no room for another: those that went away are to be found again before they are closed. */
  get areFull(): boolean {
    return this.#open.size >= this.#max
  }

  /** Opens the file at its path; false when it is not there. */
  async use(file: TrackedFile): Promise<boolean> {
    if (!file.isOpen && !(await file.reopen())) return false
    await this.opened(file)
    return true
  }

  /** Notes that the file was opened or used. */
  async opened(file: TrackedFile): Promise<void> {
    if (!this.#open.delete(file)) this.#onChange(1)
    this.#open.add(file)
    for (let looks = 0; this.#open.size > this.#max && looks < LOOKS; looks++) {
      const [oldest] = this.#open as Iterable<TrackedFile> as [TrackedFile]
      // A deleted file cannot be opened again.
      if (oldest !== file && (!oldest.gone || oldest.located)) await this.close(oldest)
      else {
        this.#open.delete(oldest)
        this.#open.add(oldest)
      }
    }
  }

  async close(file: TrackedFile): Promise<void> {
    if (this.#open.delete(file)) this.#onChange(-1)
    await file.letGo()
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open].map(file => this.close(file)))
  }
}
