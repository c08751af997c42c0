import { resolve } from 'node:path'
import {
  type ComponentContext,
  type Extension,
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

/** The `file_storage` extension. Its stores work from `start` to `stop`. */
export class FileStorage implements Extension, StorageExtension {
  readonly storage: StorageProvider
  readonly #context: ComponentContext<FileStorageConfig>
  readonly #directory: string
  readonly #timeoutMs: number
  #database: Database | undefined

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
    this.#database = await openDatabase(this.#directory, this.#options())
    this.#context.logger.info('The storage is open.', { directory: this.#directory })
  }

  async attach(): Promise<void> {
    this.#database = await attachDatabase(this.#directory, this.#options())
  }

  async stop(): Promise<void> {
    await this.#database?.close()
    this.#database = undefined
  }

  #options(): DatabaseOptions {
    const { clock, reportStatus } = this.#context
    return {
      clock,
      timeoutMs: this.#timeoutMs,
      onTrouble: error =>
        reportStatus(error ? { status: 'recoverable_error', message: error.message } : { status: 'ok' }),
    }
  }

  #opened(): Database {
    if (this.#database) return this.#database
    throw new PermanentError(
      'storage_closed',
      `The storage in ${this.#directory} is used before the extension started, or after it stopped.`,
    )
  }
}
