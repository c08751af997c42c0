import {
  type ComponentContext,
  ConfigError,
  durationMs,
  errorText,
  formatProblem,
  isTocsinError,
  PermanentError,
  type Problem,
} from 'tocsin/component'
import { modesOf, type StatefulAlertConfig } from './config.js'
import { TableProblem } from './csv.js'
import type { RowProblem } from './rule.js'
import { type TableSource, tableSource } from './source.js'
import { type Loaded, loadCsv, type Table } from './table.js'

export interface TableKeeperOptions {
  /** A table is in force, or has been found unchanged: this counts as one load. */
  readonly onLoad: (table: Table) => Promise<void>
}

const MAX_LOGGED = 100

/** Keeps the lookup table: loads it at the start, looks for changes, and swaps it when the new one serves. */
export class TableKeeper {
  readonly #config: StatefulAlertConfig
  readonly #context: ComponentContext<StatefulAlertConfig>
  readonly #options: TableKeeperOptions
  readonly #source: TableSource
  readonly #stopping = new AbortController()
  #table: Table | undefined
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
    this.#source = tableSource(location, context.baseDir, context.storage(config.storage))
  }

  get table(): Table | undefined {
    return this.#table
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
      const read = await this.#source.read(this.#stopping.signal)
      if (read && (await this.#use(read.text))) await this.#keep(read.keep)
    } catch (error) {
      const kept = error instanceof ConfigError ? undefined : await this.#source.kept().catch(() => undefined)
      if (kept === undefined) throw explained(name, error)
      this.#context.logger.warn('The lookup table cannot be read: the copy of the last good one is used.', {
        table: name,
        reason: errorText(error),
      })
      await this.#use(kept)
    }
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
      if (!read) await this.#options.onLoad(this.#table as Table)
      else if (await this.#use(read.text)) await this.#keep(read.keep)
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      this.#context.logger.warn('The lookup table could not be reloaded: the old one stays in force.', {
        table: name,
        reason: errorText(explained(name, error)),
      })
    }
  }

  /** Throws when no row is good. */
  async #use(text: string): Promise<true> {
    const { lookup_table: table } = this.#config
    const loaded = await this.#load(text, table?.columns ?? {})
    if (loaded.table.byId.size === 0) {
      const problems = loaded.problems.filter(({ severity }) => severity === 'error')
      const empty: RowProblem = {
        severity: 'error',
        line: 1,
        message: 'the table has no rows',
        fix: 'add rows below the header',
      }
      throw new ConfigError((problems.length > 0 ? problems : [empty]).map(row => this.#problem(row)))
    }
    this.#table = loaded.table
    this.#report(loaded)
    await this.#options.onLoad(loaded.table)
    return true
  }

  async #load(text: string, columns: NonNullable<StatefulAlertConfig['lookup_table']>['columns'] & object) {
    try {
      return await loadCsv(text, columns, modesOf(this.#config), this.#table?.set)
    } catch (error) {
      if (!(error instanceof TableProblem)) throw error
      const { line, column, message, fix } = error
      throw new ConfigError([
        { severity: 'error', file: this.#source.name, line, path: [column], message, fix },
      ])
    }
  }

  async #keep(keep: () => Promise<void>): Promise<void> {
    try {
      await keep()
    } catch (error) {
      this.#context.logger.warn('The lookup table could not be kept for a start without its source.', {
        reason: errorText(error),
      })
    }
  }

  #report({ table, problems }: Loaded): void {
    const { logger } = this.#context
    for (const problem of problems.slice(0, MAX_LOGGED)) logger.warn(formatProblem(this.#problem(problem)))
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

  #problem({ severity, line, column, message, fix }: RowProblem): Problem {
    return {
      severity,
      file: this.#source.name,
      line,
      path: column ? [column] : [],
      message,
      ...(fix !== undefined && { fix }),
    }
  }
}

function explained(name: string, error: unknown): Error {
  if (error instanceof Error && isTocsinError(error)) return error
  // No cause: what it says is in the message already.
  return new PermanentError(
    'table_unavailable',
    `The lookup table ${name} cannot be read: ${errorText(error)}`,
  )
}
