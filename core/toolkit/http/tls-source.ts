import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Clock, Logger } from '../../component/context.js'
import { errorText } from '../../component/errors.js'
import { type TlsClientConfig, type TlsConnectOptions, tlsConnectOptions } from './tls.js'

/** The TLS options of a client, read again when certificates are renewed. */
export interface TlsSource {
  /** The same object as long as nothing has changed. Never rejects: files that do not work change nothing. */
  current(): Promise<TlsConnectOptions>
}

/** What of a component context `openTlsSource` needs. */
export interface TlsSourceContext {
  /** Relative paths start here. */
  readonly baseDir: string
  readonly clock: Clock
  readonly logger: Logger
}

const LOOK_EVERY_MS = 60_000

/** Reads the files of a `tls` block, and again when they change, at most once a minute. Throws `tls_file_unreadable`. */
export async function openTlsSource(
  config: TlsClientConfig | undefined,
  context: TlsSourceContext,
): Promise<TlsSource> {
  const files = [config?.ca_file, config?.cert_file, config?.key_file]
    .filter(file => file !== undefined)
    .map(file => resolve(context.baseDir, file))
  // Before they are read: what changes in between is read again.
  const stamp = await stampOf(files)
  const options = await tlsConnectOptions(config, context.baseDir)
  if (files.length === 0) return { current: async () => options }
  return new WatchedFiles(config, context, files, stamp, options)
}

class WatchedFiles implements TlsSource {
  readonly #config: TlsClientConfig | undefined
  readonly #context: TlsSourceContext
  readonly #files: readonly string[]
  #stamp: string
  #options: TlsConnectOptions
  #lookedMs: number
  #looking: Promise<void> | undefined

  constructor(
    config: TlsClientConfig | undefined,
    context: TlsSourceContext,
    files: readonly string[],
    stamp: string,
    options: TlsConnectOptions,
  ) {
    this.#config = config
    this.#context = context
    this.#files = files
    this.#stamp = stamp
    this.#options = options
    this.#lookedMs = context.clock.monotonicMs()
  }

  async current(): Promise<TlsConnectOptions> {
    if (!this.#looking && this.#context.clock.monotonicMs() - this.#lookedMs >= LOOK_EVERY_MS) {
      this.#looking = this.#look().finally(() => {
        this.#lookedMs = this.#context.clock.monotonicMs()
        this.#looking = undefined
      })
    }
    await this.#looking
    return this.#options
  }

  async #look(): Promise<void> {
    const stamp = await stampOf(this.#files)
    if (stamp === this.#stamp) return
    const { logger, baseDir } = this.#context
    try {
      const options = await tlsConnectOptions(this.#config, baseDir)
      // In the middle of a renewal certificate and key may not belong together.
      createSecureContext(options)
      this.#options = options
      this.#stamp = stamp
      logger.info('The certificates have changed and are used from now on.')
    } catch (error) {
      logger.warn('The changed certificates do not work: the old ones stay in use.', {
        reason: errorText(error),
      })
    }
  }
}

/** Changes when a file is written or replaced. */
async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    files.map(file =>
      stat(file).then(
        ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
        () => 'gone',
      ),
    ),
  )
  return stamps.join('\n')
}
