import { parse } from 'csv-parse/sync'
import { distance } from 'fastest-levenshtein'
import { type Cells, COLUMNS, type Column, type RowProblem } from './rule.js'

export const DELIMITERS = [',', ';', '|', 'tab', '\t'] as const
export type Delimiter = (typeof DELIMITERS)[number]

/** Which header stands for what. */
export type ColumnNames = { readonly [column in Column]?: string }

const NEEDED: ReadonlySet<Column> = new Set([
  'alert_pattern',
  'normalized_message',
  'severity',
  'alert_schema',
])
/** A quoted cell that goes on for more lines than this was not closed. */
const MAX_LINES = 100

/** The table as a whole cannot be used. */
export class TableProblem extends Error {
  override readonly name = 'TableProblem'

  constructor(
    /** Counts from 1. */
    readonly line: number,
    readonly column: string,
    message: string,
    readonly fix: string,
  ) {
    super(message)
  }
}

export type TableRow = { readonly line: number; readonly cells: Cells } | RowProblem

/**
 * The rows of a CSV text by RFC 4180, with LF or CRLF, after its header. A row that is broken spoils only itself.
 * Besides rows come warnings. Without a `given` delimiter the header tells, or a line `sep=;` above it. Throws `TableProblem` when the header lacks a column.
 */
export function* readCsv(text: string, names: ColumnNames, given?: Delimiter): Generator<TableRow> {
  const { lines, from, delimiter } = beginning(text, names, given)
  const records = splitRecords(lines, from, delimiter)
  const first = records.next()
  if (first.done) {
    throw new TableProblem(1, 'header', 'the table is empty', 'its first line names the columns')
  }
  if ('message' in first.value)
    throw new TableProblem(first.value.line, 'header', first.value.message, QUOTING)
  const header = first.value.cells.map(name => name.trim())
  const places = placesOf(header, names, first.value.line)
  for (const record of records) {
    if ('message' in record) {
      yield { severity: 'error', line: record.line, message: record.message, fix: QUOTING }
      continue
    }
    yield* rowOf(record, header, places, delimiter)
  }
}

interface Beginning {
  readonly lines: readonly string[]
  /** The index of the header, or of blank lines above it. */
  readonly from: number
  readonly delimiter: string
}

/** Excel writes what its country does, tabs, or a line that says which. */
function beginning(text: string, names: ColumnNames, given: Delimiter | undefined): Beginning {
  const lines = (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text).split(/\r?\n/)
  const first = Math.max(
    0,
    lines.findIndex(line => line.trim() !== ''),
  )
  const said = /^"?sep=(.)"?\s*$/i.exec(lines[first] as string)?.[1]
  const from = said === undefined ? first : first + 1
  if (given !== undefined) return { lines, from, delimiter: given === 'tab' ? '\t' : given }
  return { lines, from, delimiter: said ?? likely(lines[from] ?? '', names) }
}

/** The one by which the header has the most of our columns; a comma where none has more. */
function likely(header: string, names: ColumnNames): string {
  const wanted = new Set<string>(COLUMNS.map(column => names[column] ?? column))
  let best = ','
  let most = 0
  for (const delimiter of [',', ';', '\t', '|']) {
    const cells = cellsOf(header, delimiter)
    const found = typeof cells === 'string' ? 0 : cells.filter(cell => wanted.has(cell.trim())).length
    if (found > most) [best, most] = [delimiter, found]
  }
  return best
}

function nameOf(delimiter: string): string {
  return { ',': 'commas', ';': 'semicolons', '\t': 'tabs' }[delimiter] ?? delimiter
}

const QUOTING = 'put the cell between double quotes, and double those in it: "say ""hi"""'

function* rowOf(
  { line, cells }: Split,
  header: readonly string[],
  places: Places,
  delimiter: string,
): Generator<TableRow> {
  const schemaAt = places.get('alert_schema') as number
  let row = cells
  if (delimiter === ',' && cells.length > header.length && schemaAt === header.length - 1) {
    const rest = cells.slice(schemaAt)
    if (/^\s*(immediate|threshold)\s*$/i.test(rest[0] as string)) {
      const schema = rest.map(cell => cell.trim()).join(',')
      row = [...cells.slice(0, schemaAt), schema]
      yield {
        severity: 'warning',
        line,
        column: 'alert_schema',
        message: `the schema has commas and no quotes; it is taken for "${schema}"`,
        fix: `write "${schema}" with the quotes`,
      }
    }
  }
  if (row.length !== header.length) {
    yield {
      severity: 'error',
      line,
      message: `the row has ${row.length} cells, the header has ${header.length}`,
      fix: `put cells with ${nameOf(delimiter)} between double quotes${cells.some(cell => /[\u201c\u201d\u201e\uff02]/.test(cell)) ? ': " and not the curly ones' : ''}`,
    }
    return
  }
  const named = {} as { [column in Column]: string }
  for (const column of COLUMNS) {
    const at = places.get(column)
    named[column] = at === undefined ? '' : (row[at] as string)
  }
  yield { line, cells: named }
}

type Places = ReadonlyMap<Column, number>

function placesOf(header: readonly string[], names: ColumnNames, line: number): Places {
  const places = new Map<Column, number>()
  for (const column of COLUMNS) {
    const name = names[column] ?? column
    const at = header.indexOf(name)
    if (at >= 0 && header.indexOf(name, at + 1) >= 0) {
      throw new TableProblem(line, name, `the column "${name}" is there twice`, 'rename or remove one')
    }
    if (at >= 0) places.set(column, at)
    // Optional columns may be missing, unless the configuration gives them a name of its own.
    else if (NEEDED.has(column) || name !== column) throw missing(header, column, name, line)
  }
  return places
}

function missing(header: readonly string[], column: Column, name: string, line: number): TableProblem {
  const near = header
    .map(other => ({ other, far: distance(other.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)[0]
  const hint = near && near.far <= Math.max(2, name.length / 3) ? `; did you mean "${near.other}"?` : ''
  if (header.length === 1) {
    return new TableProblem(
      line,
      name,
      `the table has no column "${name}"; its header is one column, ${JSON.stringify(header[0])}`,
      'separate columns with commas, semicolons, tabs or |; lookup_table.delimiter names another choice than the header makes',
    )
  }
  const columns = header.map(other => JSON.stringify(other)).join(', ')
  return new TableProblem(
    line,
    name,
    `the table has no column "${name}"${name === column ? '' : ` for ${column}`}; its columns are ${columns}${hint}`,
    `set lookup_table.columns.${column} to the name that the column has`,
  )
}

interface Split {
  /** Where the row starts, from 1. */
  readonly line: number
  readonly cells: readonly string[]
}

/**
 * Cuts a text into its records. A record with a fault ends with its line, whatever its quotes say: so an unclosed
 * quote does not swallow the rows below it.
 */
function* splitRecords(
  lines: readonly string[],
  from: number,
  delimiter: string,
): Generator<Split | { readonly line: number; readonly message: string }> {
  for (let at = from; at < lines.length; ) {
    const line = at + 1
    let record = lines[at] as string
    if (record.trim() === '') {
      at++
      continue
    }
    let end = at + 1
    while (isOpen(record) && end < lines.length && end - at < MAX_LINES) record += `\n${lines[end++]}`
    const cells = cellsOf(record, delimiter)
    if (typeof cells === 'string') {
      yield { line, message: cells }
      at++
    } else {
      yield { line, cells }
      at = end
    }
  }
}

/** In a whole record quotes come in pairs. */
function isOpen(record: string): boolean {
  let quotes = 0
  for (let at = record.indexOf('"'); at >= 0; at = record.indexOf('"', at + 1)) quotes++
  return quotes % 2 === 1
}

function cellsOf(record: string, delimiter: string): readonly string[] | string {
  if (!record.includes('"')) return record.split(delimiter)
  try {
    const [cells = []] = parse(record, {
      relax_column_count: true,
      record_delimiter: '\u0000',
      delimiter,
    }) as string[][]
    return cells
  } catch {
    return isOpen(record) ? 'a double quote is not closed' : 'a double quote stands where none may be'
  }
}
