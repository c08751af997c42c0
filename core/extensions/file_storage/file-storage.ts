import { resolve } from 'node:path'
import {
  type ComponentContext,
  type Extension,
  errorText,
  PermanentError,
  parseDuration,
  type StateOptions,
  type StorageExtension,
  type StorageProvider,
} from 'tocsin/component'
import type { FileStorageConfig } from './config.js'
import { attachDatabase, type Database, type DatabaseOptions, openDatabase } from './database.js'
import { fileKeyValue } from './file-key-value.js'
import { fileState } from './file-state.js'
import { exposure } from './folder.js'

/** Others may delete the directory: that is noticed within this time. */
const LOOK_MS = 20_000
const SAVED =
  'The storage directory was deleted or replaced: its content was saved. If it was saved in another folder, set directory to that one to go on with it.'

/** The `file_storage` extension. Its stores work from `start` to `stop`. */
export class FileStorage implements Extension, StorageExtension {
  readonly storage: StorageProvider
  readonly #context: ComponentContext<FileStorageConfig>
  readonly #directory: string
  readonly #timeoutMs: number
  #database: Database | undefined
  /** A write failed. */
  #trouble: string | undefined
  /** The directory was deleted or replaced. */
  #gone: string | undefined
  #cancel: () => void = () => undefined

  constructor(context: ComponentContext<FileStorageConfig>) {
    const { config } = context
    this.#context = context
    this.#directory = resolve(context.baseDir, config.directory)
    this.#timeoutMs = parseDuration(config.timeout) ?? 0
    const database = () => this.#opened()
    this.storage = {
      description: `in ${this.#directory}: survives a crash, belongs to this collector alone`,
      shared: false,
      keyValue: namespace => fileKeyValue(database, namespace),
      state: <S>(namespace: string, options: StateOptions<S>) =>
        fileState(database, namespace, options, context.logger),
    }
  }

  async start(): Promise<void> {
    const { logger } = this.#context
    this.#database = await openDatabase(this.#directory, this.#options())
    logger.info('The storage is open.', { directory: this.#directory })
    const warning = await exposure(this.#directory)
    if (warning !== undefined) logger.warn(warning)
    this.#watch(this.#database)
  }

  async attach(): Promise<void> {
    this.#database = await attachDatabase(this.#directory, this.#options())
  }

  async stop(): Promise<void> {
    this.#cancel()
    const { logger } = this.#context
    const database = this.#database
    this.#database = undefined
    try {
      const saved = await database?.close()
      if (saved !== undefined) logger.warn(SAVED, { directory: this.#directory, saved_in: saved })
    } catch (error) {
      logger.error('The storage directory is gone, and its content could not be saved.', {
        directory: this.#directory,
        reason: errorText(error),
      })
    }
  }

  #options(): DatabaseOptions {
    const { clock } = this.#context
    return {
      clock,
      timeoutMs: this.#timeoutMs,
      onTrouble: error => {
        this.#trouble = error?.message
        this.#report()
      },
    }
  }

  #watch(database: Database): void {
    this.#cancel = this.#context.clock.schedule(LOOK_MS, async () => {
      const found = await database.look().catch(() => 'there' as const)
      if (this.#database !== database) return
      this.#found(found)
      this.#watch(database)
    })
  }

  #found(found: Awaited<ReturnType<Database['look']>>): void {
    const { logger } = this.#context
    const message =
      found === 'there'
        ? undefined
        : `The storage directory ${this.#directory} was ${found} while the collector runs: what is written now is lost if it is killed. Put the old directory back, or stop the collector (SIGTERM, not SIGKILL): it then saves what it has, and says where.`
    if (message === this.#gone) return
    this.#gone = message
    if (message !== undefined) logger.error(message)
    else logger.info('The storage directory is back.', { directory: this.#directory })
    this.#report()
  }

  #report(): void {
    const { reportStatus } = this.#context
    if (this.#gone !== undefined) reportStatus({ status: 'permanent_error', message: this.#gone })
    else if (this.#trouble !== undefined)
      reportStatus({ status: 'recoverable_error', message: this.#trouble })
    else reportStatus({ status: 'ok' })
  }

  #opened(): Database {
    if (this.#database) return this.#database
    throw new PermanentError(
      'storage_closed',
      `The storage in ${this.#directory} is used before the extension started, or after it stopped.`,
    )
  }
}
