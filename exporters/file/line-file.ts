import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { type Clock, formatRfc3339, RetryableError } from 'tocsin/component'

export interface RotationLimits {
  readonly maxBytes: number
  readonly maxBackups: number
}

const NEWLINE = 10
const STAMP = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d[.\d]*$/

/** Whether another program moved the file is asked so often, not for each line: until then lines go into the moved one. */
const LOOK_EVERY_MS = 1_000

/** A file of whole lines: what fails to be written in full is taken back. */
export class LineFile {
  readonly #path: string
  readonly #clock: Clock
  readonly #limits: RotationLimits
  #handle: FileHandle | undefined
  /** Of the open file, whatever has its name now. */
  #inode = ''
  #size = 0
  #lookedMs = Number.NEGATIVE_INFINITY
  #busy: Promise<void> = Promise.resolve()

  constructor(path: string, clock: Clock, limits: RotationLimits) {
    this.#path = path
    this.#clock = clock
    this.#limits = limits
  }

  async open(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o750 })
    // Records may hold what is not for everyone.
    const handle = await open(this.#path, 'a+', 0o600)
    try {
      const { ino, dev, size } = await handle.stat()
      this.#inode = `${dev}/${ino}`
      this.#size = size
      // A crash may have left half a line: the next one must not become part of it.
      if (size > 0) {
        const last = Buffer.alloc(1)
        await handle.read(last, 0, 1, size - 1)
        if (last[0] !== NEWLINE) await this.#write(handle, Buffer.of(NEWLINE))
      }
    } catch (error) {
      await handle.close()
      throw error
    }
    this.#handle = handle
  }

  /** One after another, in order of the calls. */
  append(line: Buffer): Promise<void> {
    const appended = this.#busy.then(() => this.#append(line))
    this.#busy = appended.catch(() => undefined)
    return appended
  }

  async close(): Promise<void> {
    await this.#busy
    await this.#letGo()
  }

  async #append(line: Buffer): Promise<void> {
    if (this.#clock.monotonicMs() >= this.#lookedMs + LOOK_EVERY_MS) await this.#look()
    if (!this.#handle) await this.open()
    // What is renamed must be our file.
    if (this.#isFull(line)) await this.#look()
    if (!this.#handle) await this.open()
    if (this.#isFull(line)) await this.#rotate()
    if (!this.#handle) await this.open()
    await this.#write(this.#handle as FileHandle, line)
  }

  /** Another program may have renamed, removed or emptied the file: then a new one is begun, or its size is another. */
  async #look(): Promise<void> {
    this.#lookedMs = this.#clock.monotonicMs()
    if (!this.#handle) return
    const found = await stat(this.#path).catch(() => undefined)
    if (found && `${found.dev}/${found.ino}` === this.#inode) this.#size = found.size
    else await this.#letGo()
  }

  #isFull(line: Buffer): boolean {
    return this.#size > 0 && this.#size + line.length > this.#limits.maxBytes
  }

  async #letGo(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    if (!handle) return
    // To the disk; a pipe or a device has nothing to sync.
    await handle.datasync().catch(() => undefined)
    await handle.close()
  }

  async #write(handle: FileHandle, line: Buffer): Promise<void> {
    try {
      await handle.appendFile(line)
      this.#size += line.length
    } catch (error) {
      await takeBack(handle, this.#size).catch(() => undefined)
      throw new RetryableError('write_failed', `${this.#path} cannot be written`, { cause: error })
    }
  }

  async #rotate(): Promise<void> {
    await this.#handle?.datasync()
    await this.#handle?.close()
    this.#handle = undefined
    const extension = extname(this.#path)
    const stem = basename(this.#path, extension)
    const folder = dirname(this.#path)
    // Names sort by time; a colon is no part of a file name everywhere.
    const stamp = formatRfc3339(this.#clock.now()).replaceAll(':', '-').replace(/Z$/, '')
    await rename(this.#path, await freeName(join(folder, `${stem}-${stamp}`), extension))
    this.#size = 0
    const backups = (await readdir(folder)).filter(
      name =>
        name.startsWith(`${stem}-`) &&
        name.endsWith(extension) &&
        STAMP.test(name.slice(stem.length + 1, name.length - extension.length)),
    )
    const old = backups.sort().slice(0, Math.max(0, backups.length - this.#limits.maxBackups))
    for (const name of old) await rm(join(folder, name), { force: true })
  }
}

/** Another program may have emptied the file meanwhile: then it must not become longer. */
async function takeBack(handle: FileHandle, size: number): Promise<void> {
  if ((await handle.stat()).size > size) await handle.truncate(size)
}

async function freeName(stem: string, extension: string): Promise<string> {
  const taken = new Set(await readdir(dirname(stem)))
  for (let count = 0; ; count++) {
    const name = `${stem}${count === 0 ? '' : `.${count}`}${extension}`
    if (!taken.has(basename(name))) return name
  }
}
