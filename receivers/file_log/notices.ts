import type { Logger } from 'tocsin/component'
import type { Checkpoint } from './checkpoints.js'
import { type Encoding, encodingByMark } from './encoding.js'
import type { GzipEnd } from './gzip.js'
import type { TrackedFile } from './tracked-file.js'

/** How much of a compressed file could be read, unpacked, and how long the file is. */
export interface ArchiveState {
  readonly end: GzipEnd
  readonly readBytes: number
  readonly fileBytes: number
}

/** So many files are named in one line of the log. */
const NAMED = 10

/** What people should know of their files, each said once. */
export class Notices {
  readonly #logger: Logger
  readonly #said = new Set<string>()
  readonly #leftOut = new Map<string, string[]>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Which files are read from now on, and from where. */
  opened(added: ReadonlySet<TrackedFile>, first: boolean, newAtEnd: boolean): void {
    if (added.size === 0) return
    const files = named([...added].map(file => `${file.path} from ${startOf(file)}`))
    const message = first ? 'Reading files.' : 'Reading more files.'
    const start = first && newAtEnd ? { start_at: 'end' } : {}
    this.#logger.info(message, { count: added.size, files, ...start })
  }

  /** Files whose checkpoints are of no use any more. */
  lost(known: readonly Checkpoint[]): void {
    if (known.length === 0) return
    const files = named(known.map(({ path, offset }) => `${path} (read up to byte ${offset})`))
    const message = 'Files of the last run are not found again; what was written to them since is not read.'
    this.#logger.warn(message, { count: known.length, files })
  }

  leftOut(path: string, format: string): void {
    const paths = this.#leftOut.get(format)
    if (paths) paths.push(path)
    else this.#leftOut.set(format, [path])
  }

  /** Says what was left out since the last time: each format once. */
  saidLeftOut(): void {
    for (const [format, paths] of this.#leftOut) {
      this.#once(`left out ${format}`, () => {
        const message = `Files that hold no lines of text are left out (${format}): name them in exclude.`
        this.#logger.warn(message, { count: paths.length, files: named(paths) })
      })
    }
    this.#leftOut.clear()
  }

  /** How the start of a file is read, where that is not as configured. */
  encoding(path: string, head: Buffer, encoding: Encoding, configured: Encoding): void {
    const { name } = encoding
    if (name === configured.name) return
    const isMarked = encodingByMark(head) !== undefined
    this.#once(`encoding ${name} ${isMarked}`, () => {
      const why = isMarked
        ? `has the byte order mark of ${name}`
        : `has no byte order mark and looks like ${name}`
      this.#logger.info(`A file ${why}; it is read so, whatever \`encoding\` says.`, { path })
    })
  }

  /** A compressed file that ends too early. */
  archive(path: string, { end, readBytes, fileBytes }: ArchiveState): void {
    this.#once(`archive ${path} ${fileBytes}`, () => {
      const message =
        end === 'cut'
          ? 'A gzip file ends in the middle. What it holds up to there is read; the rest will be when it has grown.'
          : 'A gzip file is damaged. What stands before the damage is read; when the file changes it is looked at again.'
      this.#logger.warn(message, { path, read_bytes: readBytes, file_bytes: fileBytes })
    })
  }

  nuls(path: string, bytes: number): void {
    this.#once('nuls', () => {
      const message =
        'NUL bytes before a line are skipped: its writer went on at its old place after a truncation. Open the file to append.'
      this.#logger.warn(message, { path, bytes })
    })
  }

  noContainerLine(path: string): void {
    this.#once('container', () => {
      const message = 'A line is in no format of a container runtime; such lines are taken as they are.'
      this.#logger.warn(message, { path })
    })
  }

  noLineEnds(path: string): void {
    this.#once(`line ends ${path}`, () => {
      const message = 'A file has no line ends; its records come out by size and time.'
      this.#logger.warn(message, { path })
    })
  }

  #once(key: string, say: () => void): void {
    if (this.#said.has(key) || this.#said.size >= 1_000) return
    this.#said.add(key)
    say()
  }
}

function startOf({ offset, done, generation }: TrackedFile): string {
  if (done || offset === 0) return done ? 'its end' : 'its beginning'
  return generation.persisted ? `byte ${offset}, where the last run stopped` : `byte ${offset}`
}

function named(files: readonly string[]): string {
  const more = files.length > NAMED ? ` and ${files.length - NAMED} more` : ''
  return files.slice(0, NAMED).join(', ') + more
}
