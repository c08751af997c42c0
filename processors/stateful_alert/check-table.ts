import { ConfigError, errorText, type FileProblem } from 'tocsin/component'
import type { StatefulAlertConfig } from './config.js'
import { explained, loadTable, problemOf } from './load-table.js'
import { openFile } from './source.js'

/** Says of a lookup table in a file what a start would say. A URL is left alone: validation needs no network. */
export async function checkTable(
  config: StatefulAlertConfig,
  baseDir: string,
): Promise<readonly FileProblem[]> {
  const file = openFile(config.lookup_table?.location ?? '', baseDir)
  if (!file || !config.lookup_table) return []
  const { name } = file
  try {
    const read = await file.read()
    const text = read?.text ?? ''
    const { problems } = await loadTable(name, text, config)
    const lines = text.split('\n')
    return problems.map(row => {
      const rejected = row.severity === 'error'
      return {
        ...problemOf(name, row),
        // The other rows serve.
        severity: 'warning',
        message: rejected ? `the row is rejected: ${row.message}` : row.message,
        ...(row.code === 'duplicate-row' &&
          isOneLine(lines[row.line - 1]) && { removeLines: { from: row.line, to: row.line } }),
      }
    })
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    return [{ path: ['lookup_table', 'location'], message: errorText(explained(name, error)) }]
  }
}

/** Of a row that goes over several lines each has an odd quote. */
function isOneLine(line: string | undefined): boolean {
  return line !== undefined && line.split('"').length % 2 === 1
}
