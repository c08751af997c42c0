import { type ComponentContext, ConfigError, durationMs, errorText, formatProblem } from 'tocsin/component'
import type { StatefulAlertConfig } from './config.js'
import { explained, loadTable, problemOf } from './load-table.js'
import { type TableSource, type TableText, tableSource } from './source.js'
import type { Loaded, Table } from './table.js'

export interface TableKeeperOptions {
  /** A table is in force, or has been found unchanged: this counts as one load. */
  readonly onLoad: (table: Table) => Promise<void>
}

const MAX_LOGGED = 100
const START_MS = 10_000

/** Keeps the lookup table: loads it at the start, looks for changes, and swaps it when the new one serves. */
export class TableKeeper {
  readonly #config: StatefulAlertConfig
  readonly #context: ComponentContext<StatefulAlertConfig>
  readonly #options: TableKeeperOptions
  readonly #source: TableSource
  /** Another location must not be answered with this one's text. */
  readonly #memoryKey: string
  readonly #stopping = new AbortController()
  /** While it is held, others with the same table share it. */
  #loaded: Loaded | undefined
  #cancel: () => void = () => undefined
  #turn: Promise<void> = Promise.resolve()

  constructor(
    config: StatefulAlertConfig,
    context: ComponentContext<StatefulAlertConfig>,
    options: TableKeeperOptions,
  ) {
    this.#config = config
    this.#context = context
    this.#options = options
    const location = config.lookup_table?.location ?? ''
    this.#memoryKey = `table ${location}`
    this.#source = tableSource(location, context.baseDir, context.storage(config.storage))
  }

  get table(): Table | undefined {
    return this.#loaded?.table
  }

  /** Rejects when there is no table with at least one good row. */
  async start(): Promise<void> {
    await this.#first()
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#cancel()
    this.#stopping.abort()
    await this.#turn
    await this.#source.close()
  }

  async #first(): Promise<void> {
    const { name } = this.#source
    try {
      const read = await this.#firstRead()
      if (!read) return
      await this.#use(read.text)
      await this.#keep(read)
    } catch (error) {
      const kept =
        (await this.#fromMemory()) ?? (error instanceof ConfigError ? undefined : await this.#kept())
      if (kept === undefined) throw explained(name, error)
      this.#context.logger.warn('The lookup table cannot be used: the last good one stays in force.', {
        table: name,
        reason: errorText(explained(name, error)),
      })
      await this.#use(kept)
    }
  }

  /** A slow server does not hold up the start for long: it has its time at the next look. */
  async #firstRead(): Promise<TableText | undefined> {
    const late = new AbortController()
    const cancel = this.#context.clock.schedule(START_MS, () => late.abort())
    try {
      return await this.#source.read(AbortSignal.any([late.signal, this.#stopping.signal]))
    } catch (error) {
      if (!late.signal.aborted) throw error
      throw new Error(`no whole answer came within ${START_MS / 1_000} s, which is what a start waits`)
    } finally {
      cancel()
    }
  }

  /** In memory is the table of before a reload of the configuration, which makes a new processor. */
  async #fromMemory(): Promise<string | undefined> {
    const bytes = await this.#context.storage().get(this.#memoryKey)
    return bytes && Buffer.from(bytes).toString('utf8')
  }

  #kept(): Promise<string | undefined> {
    return this.#source.kept().catch(error => {
      this.#context.logger.warn('The copy of the last good lookup table cannot be read.', {
        reason: errorText(error),
      })
      return undefined
    })
  }

  #schedule(): void {
    const periodMs = durationMs(this.#config.lookup_table?.reload_period ?? 0)
    if (periodMs === 0 || this.#stopping.signal.aborted) return
    this.#cancel = this.#context.clock.schedule(periodMs, () => {
      this.#turn = this.#reload().finally(() => this.#schedule())
    })
  }

  async #reload(): Promise<void> {
    const { name } = this.#source
    try {
      const read = await this.#source.read(this.#stopping.signal)
      if (this.#stopping.signal.aborted) return
      if (!read) await this.#options.onLoad(this.table as Table)
      else {
        await this.#use(read.text)
        await this.#keep(read)
      }
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      this.#context.logger.warn('The lookup table could not be reloaded: the old one stays in force.', {
        table: name,
        reason: errorText(explained(name, error)),
      })
    }
  }

  /** Throws when no row is good. */
  async #use(text: string): Promise<void> {
    const loaded = await loadTable(this.#source.name, text, this.#config, this.table?.set)
    this.#loaded = loaded
    this.#report(loaded)
    await this.#options.onLoad(loaded.table)
  }

  async #keep({ text, keep }: TableText): Promise<void> {
    try {
      await this.#context.storage().write([{ key: this.#memoryKey, value: Buffer.from(text) }])
      await keep()
    } catch (error) {
      this.#context.logger.warn('The lookup table could not be kept for a start without its source.', {
        reason: errorText(error),
      })
    }
  }

  #report({ table, problems }: Loaded): void {
    const { logger } = this.#context
    for (const problem of problems.slice(0, MAX_LOGGED))
      logger.warn(formatProblem(problemOf(this.#source.name, problem)))
    if (problems.length > MAX_LOGGED) {
      logger.warn('The lookup table has more problems than are shown.', {
        hidden: problems.length - MAX_LOGGED,
      })
    }
    const { literalless } = table.set.summary
    logger.info('The lookup table is in force.', {
      table: this.#source.name,
      rows: table.byId.size,
      rejected: table.rejected,
      duplicates: table.duplicates,
      // Every record pays for these.
      patterns_without_literal: literalless,
    })
  }
}
