import { ConfigError, errorText, isTocsinError, PermanentError, type Problem } from 'tocsin/component'
import type { PatternSet } from 'tocsin/pattern'
import type { StatefulAlertConfig } from './config.js'
import { TableProblem } from './csv.js'
import type { RowProblem } from './rule.js'
import { sharedTable } from './shared-tables.js'
import type { Loaded } from './table.js'

/** Reads and compiles the text of a lookup table. Throws a `ConfigError` when none of its rows can serve. */
export async function loadTable(
  name: string,
  text: string,
  config: StatefulAlertConfig,
  previous?: PatternSet,
): Promise<Loaded> {
  const loaded = await sharedTable(text, config, previous).catch((error: unknown) => {
    if (!(error instanceof TableProblem)) throw error
    const { line, column, message, fix } = error
    throw new ConfigError([{ severity: 'error', file: name, line, path: [column], message, fix }])
  })
  if (loaded.table.byId.size > 0) return loaded
  const problems = loaded.problems.filter(({ severity }) => severity === 'error')
  throw new ConfigError((problems.length > 0 ? problems : [NO_ROWS]).map(row => problemOf(name, row)))
}

export function problemOf(name: string, { severity, line, column, message, fix, code }: RowProblem): Problem {
  return {
    severity,
    file: name,
    line,
    path: column ? [column] : [],
    message,
    ...(fix !== undefined && { fix }),
    ...(code !== undefined && { code }),
  }
}

/** What kept a table from being read, with its name. */
export function explained(name: string, error: unknown): Error {
  if (error instanceof Error && isTocsinError(error)) return error
  // No cause: what it says is in the message already.
  return new PermanentError(
    'table_unavailable',
    `The lookup table ${name} cannot be read: ${errorText(error)}`,
  )
}

const NO_ROWS: RowProblem = {
  severity: 'error',
  line: 1,
  message: 'the table has no rows',
  fix: 'add rows below the header',
}
