import type { ComponentContext } from 'tocsin/component'

/** Tells the service, and the log once, what keeps the receiver from reading. */
export class ReaderStatus {
  readonly #context: ComponentContext<unknown>
  #files = ''
  #store = ''
  #reported = ''
  #noFilesLogged = false

  constructor(context: ComponentContext<unknown>) {
    this.#context = context
  }

  /** What cannot be read, by path. */
  problems(problems: ReadonlyMap<string, string>): void {
    const [first] = problems.values()
    const more = problems.size > 1 ? ` (and ${problems.size - 1} more files)` : ''
    this.#files = first === undefined ? '' : `A file cannot be read: ${first}${more}`
    this.#report()
  }

  /** The fault of the store; undefined when there is none any more. */
  store(fault: string | undefined): void {
    this.#store = fault === undefined ? '' : `Checkpoints cannot be stored: ${fault}`
    this.#report()
  }

  noFiles(include: readonly string[], baseDir: string): void {
    if (this.#noFilesLogged) return
    this.#noFilesLogged = true
    this.#context.logger.warn('No file matches yet.', { include: include.join(', '), base_dir: baseDir })
  }

  #report(): void {
    const message = [this.#store, this.#files].filter(text => text !== '').join(' ')
    if (message === this.#reported) return
    if (message === '') this.#context.logger.info('Reading goes on.')
    else this.#context.logger.warn(message)
    this.#reported = message
    this.#context.reportStatus(message === '' ? { status: 'ok' } : { status: 'recoverable_error', message })
  }
}
