import { describe, expect, test } from 'vitest'
import { type ColumnNames, TableProblem } from './csv.js'
import type { Modes, RowProblem } from './rule.js'
import { loadCsv } from './table.js'

const HEADER = 'alert_pattern,recovery_pattern,normalized_message,severity,alert_schema'
const MODES: Modes = { match: 'regex', recovery: undefined, ignoreCase: false }

async function load(text: string, names: ColumnNames = {}, modes: Modes = MODES) {
  const { table, problems } = await loadCsv(text, names, modes)
  return { rules: [...table.byId.values()], problems, table }
}

const short = (problems: readonly RowProblem[]) =>
  problems.map(({ severity, line, column = '-' }) => `${severity} ${line} ${column}`)

test('the table of the documentation', async () => {
  const { rules, problems } = await load(`${HEADER}
ERROR.*connection refused,connection established,Database Connection Failed,critical,immediate
disk usage.*9[0-9]%,disk usage.*[0-7][0-9]%,High Disk Usage,warning,"threshold,3,300,1,60"
OOM.*killed,,Out of Memory Error,critical,immediate
`)
  expect(rules.map(({ text }) => text.message)).toEqual([
    'Database Connection Failed',
    'High Disk Usage',
    'Out of Memory Error',
  ])
  expect(rules[1]?.schema).toMatchObject({ mode: 'threshold', count: 3 })
  expect(short(problems)).toEqual(['warning 4 recovery_pattern'])
})

test('BOM, CRLF, quoted commas, quotes and line breaks, blank lines, no newline at the end', async () => {
  const { rules, problems } = await load(
    `\ufeff${HEADER}\r\n"say ""no"", please",ok,"Two\r\nlines",error,immediate\r\n\r\nlast,ok,Last,info,"immediate, 60"`,
  )
  expect(problems).toEqual([])
  expect(rules.map(({ text }) => [text.pattern, text.message])).toEqual([
    ['say "no", please', 'Two\nlines'],
    ['last', 'Last'],
  ])
})

test('columns in another order, under other names, with others between', async () => {
  const { rules } = await load('Sev,When,Owner,Name,Find,Gone\ncritical,immediate,me,It broke,bad,ok\n', {
    alert_pattern: 'Find',
    recovery_pattern: 'Gone',
    normalized_message: 'Name',
    severity: 'Sev',
    alert_schema: 'When',
  })
  expect(rules).toMatchObject([
    { text: { severity: 'critical', message: 'It broke', pattern: 'bad' }, recovery: 'ok' },
  ])
})

describe('a missing column is fatal', () => {
  test.each([
    ['alert_pattern,normalized_message,severity', {}, 'alert_schema', ''],
    ['alert_patern,normalized_message,severity,alert_schema', {}, 'alert_pattern', '"alert_patern"?'],
    [HEADER, { severity: 'level' }, 'level', ''],
    [HEADER, { recovery_pattern: 'recovery' }, 'recovery', ''],
    [`${HEADER},severity`, {}, 'severity', 'twice'],
    ['', {}, 'header', 'empty'],
  ])('%s %j', async (header, names, column, says) => {
    const problem = await load(`${header}\na,b,c,d,e\n`, names as ColumnNames).catch(error => error)
    expect(problem).toBeInstanceOf(TableProblem)
    expect(problem).toMatchObject(header === '' ? {} : { line: 1, column })
    if (header !== '') expect(problem.message).toContain(says)
  })

  test('an optional column may be missing under its own name', async () => {
    const { rules } = await load(
      'alert_pattern,normalized_message,severity,alert_schema\nbad,It broke,info,immediate\n',
    )
    expect(rules).toHaveLength(1)
  })

  test('an empty file', async () => {
    await expect(load('\n\n')).rejects.toThrow('the table is empty')
  })
})

describe('a bad row is rejected alone, with line, column and reason', () => {
  const good = 'good,ok,Good,info,immediate'
  test.each([
    [',ok,No pattern,info,immediate', 'alert_pattern', 'the alert pattern is empty'],
    ['   ,ok,Blank pattern,info,immediate', 'alert_pattern', 'the alert pattern is empty'],
    ['(oops,ok,Bad regex,info,immediate', 'alert_pattern', 'a group has no closing )'],
    ['a(?=b),ok,Lookahead,info,immediate', 'alert_pattern', 'RE2 has no lookaround'],
    ['bad,[x,Bad recovery,info,immediate', 'recovery_pattern', 'the class [x has no closing ]'],
    ['bad,ok,Bad schema,info,immediat', 'alert_schema', '"immediat" is no alert schema'],
    ['bad,ok,Bad number,info,"threshold,0,1,1,1"', 'alert_schema', 'N is "0"'],
    ['bad,ok,Too short,info', undefined, 'the row has 4 cells, the header has 5'],
    ['bad,ok,Too,long,info,immediate', undefined, 'the row has 6 cells, the header has 5'],
    ['b"ad,ok,Stray quote,info,immediate', undefined, 'a double quote is not closed'],
    ['"bad"x,ok,After a quote,info,immediate', undefined, 'a double quote stands where none may be'],
    ['"bad,ok,Unclosed,info,immediate', undefined, 'a double quote is not closed'],
  ])('%s', async (row, column, message) => {
    const { rules, problems, table } = await load(`${HEADER}\n${good}\n${row}\nlast,ok,Last,info,immediate\n`)
    expect(rules.map(({ text }) => text.message)).toEqual(['Good', 'Last'])
    expect(table.rejected).toBe(1)
    const errors = problems.filter(({ severity }) => severity === 'error')
    expect(errors).toMatchObject([{ line: 3, ...(column && { column }) }])
    expect(errors[0]?.message).toContain(message)
  })

  test('several things wrong with one row are told at once', async () => {
    const { problems, table } = await load(`${HEADER}\n${good}\n,ok,Bad,info,nonsense\n`)
    expect(short(problems)).toEqual(['error 3 alert_pattern', 'error 3 alert_schema'])
    expect(table.rejected).toBe(1)
  })

  test('lines are those of the file, after cells with line breaks too', async () => {
    const { problems } = await load(`${HEADER}\na,ok,"Two\nlines",info,immediate\n\n,ok,Bad,info,immediate\n`)
    expect(short(problems)).toEqual(['error 5 alert_pattern'])
  })
})

describe('an unquoted schema in the last column', () => {
  test.each([
    ['threshold,3,300,1,60', { count: 3, recoveryCount: 1, expireNs: 0n }],
    ['threshold,3,300,1,60,1800', { count: 3, expireNs: 1800_000_000_000n }],
    ['immediate,3600', { count: 1, expireNs: 3600_000_000_000n }],
    ['Threshold, 3, 300, 1, 60', { count: 3 }],
  ])('%s is understood, with a warning', async (schema, expected) => {
    const { rules, problems } = await load(`${HEADER}\nbad,ok,It broke,info,${schema}\n`)
    expect(rules).toMatchObject([{ schema: expected }])
    expect(short(problems)).toEqual(['warning 2 alert_schema'])
    expect(problems[0]?.fix).toContain('quotes')
  })

  test('is not guessed elsewhere, nor when it is wrong', async () => {
    const { problems } = await load(`${HEADER}\nbad,ok,It broke,info,threshold,0,1,1,1\n`)
    expect(short(problems)).toEqual(['warning 2 alert_schema', 'error 2 alert_schema'])
    const moved = await load(
      `alert_schema,alert_pattern,recovery_pattern,normalized_message,severity\nthreshold,3,300,1,60,bad,ok,It broke,info\n`,
    )
    expect(short(moved.problems)).toEqual(['error 2 -'])
  })
})

describe('warnings name the line', () => {
  test('a row that can never clear, and why M and W are there in vain', async () => {
    const { problems } = await load(
      `${HEADER}\na,,A,info,immediate\nb,,B,info,"threshold,5,60,1,300"\nc,,C,info,"immediate,60"\n`,
    )
    expect(short(problems)).toEqual(['warning 2 recovery_pattern', 'warning 3 recovery_pattern'])
    expect(problems[1]?.message).toContain('M and W do nothing')
  })

  test('an unknown severity word is kept as it is', async () => {
    const { rules, problems } = await load(`${HEADER}\na,ok,A, Sev-1 ,immediate\n`)
    expect(rules[0]?.text.severity).toBe('Sev-1')
    expect(short(problems)).toEqual(['warning 2 severity'])
  })

  test('a row that is there twice serves once', async () => {
    const { rules, problems, table } = await load(`${HEADER}\na,ok,A,info,immediate\na,ok,A,info,immediate\n`)
    expect(rules).toHaveLength(1)
    expect(table.duplicates).toBe(1)
    expect(problems).toMatchObject([{ line: 3, message: expect.stringContaining('line 2') }])
  })

  test('rows with the same patterns and another schema both serve, each with its own state', async () => {
    const { rules, problems } = await load(
      `${HEADER}\na,ok,A,info,immediate\na,ok,A again,critical,"threshold,9,60,1,60"\n`,
    )
    expect(new Set(rules.map(({ id }) => id)).size).toBe(2)
    expect(short(problems)).toEqual(['warning 3 -'])
  })
})

describe('identity', () => {
  const ids = async (row: string, header = HEADER) => {
    const { rules } = await load(`${header}\n${row}\n`)
    return rules[0]?.id
  }

  test('is the two patterns: severity, message and schema may change', async () => {
    const before = await ids('a,ok,A,info,immediate')
    expect(await ids('a,ok,Other,critical,"threshold,3,60,1,60"')).toBe(before)
    expect(await ids('a,okay,A,info,immediate')).not.toBe(before)
  })

  test('is the rule_id where there is one', async () => {
    const header = `${HEADER},rule_id`
    const before = await ids('a,ok,A,info,immediate,r1', header)
    expect(await ids('b,fine,B,error,"immediate,9",r1', header)).toBe(before)
    expect(await ids('a,ok,A,info,immediate,r2', header)).not.toBe(before)
  })
})

test('a row may have its own match mode; ignore_case is for every mode but regex', async () => {
  const header = `${HEADER},match_mode`
  const rows = [
    'a.b,ok,A,info,immediate,contain',
    'x(,ok,B,info,immediate,Prefix',
    'c,ok,C,info,immediate,glob',
  ]
  const { rules, problems } = await load(`${header}\n${rows.join('\n')}\n`)
  expect(rules).toHaveLength(2)
  expect(problems).toMatchObject([{ line: 4, column: 'match_mode' }])
  const folding = await load(
    `${header}\n${rows[0]}\nd,ok,D,info,immediate,\n`,
    {},
    { ...MODES, ignoreCase: true },
  )
  expect(folding.rules).toHaveLength(1)
  expect(folding.problems[0]).toMatchObject({ line: 3, fix: expect.stringContaining('(?i)') })
})

test('ten thousand rows load while the event loop goes on', async () => {
  const rows = Array.from({ length: 10_000 }, (_, n) => `service-${n} failed,ok,Service ${n},info,immediate`)
  let turns = 0
  const count = () => {
    turns++
    if (turns > 0) immediate = setImmediate(count)
  }
  let immediate = setImmediate(count)
  const { rules } = await load(`${HEADER}\n${rows.join('\n')}\n`)
  clearImmediate(immediate)
  expect(rules).toHaveLength(10_000)
  expect(turns).toBeGreaterThan(20)
})

describe('what Excel writes (W32)', () => {
  const semicolons =
    'alert_pattern;recovery_pattern;normalized_message;severity;alert_schema\nbad;"good; again";It broke;critical;threshold,3,300,1,60\n'
  const expected = [
    { recovery: 'good; again', schema: { mode: 'threshold', count: 3 }, text: { pattern: 'bad' } },
  ]

  test.each([
    ['semicolons', semicolons],
    ['semicolons, with BOM and CRLF', `\ufeff${semicolons.replaceAll('\n', '\r\n')}`],
    ['a line sep=;', `sep=;\n${semicolons}`],
    ['a quoted line sep=;', `"sep=;"\r\n${semicolons}`],
    ['tabs', semicolons.replaceAll(';', '\t').replace('good\t', 'good;')],
    ['bars', semicolons.replaceAll(';', '|').replace('good|', 'good;')],
    ['sep=, and commas', `sep=,\n${HEADER}\nbad,good; again,It broke,critical,"threshold,3,300,1,60"\n`],
  ])('%s', async (_, text) => {
    const { rules, problems } = await load(text)
    expect(rules).toMatchObject(expected)
    expect(problems).toEqual([])
  })

  test('lines are counted with the line sep=', async () => {
    const { problems } = await load(`sep=;\n${semicolons}bad;x\n`)
    expect(problems).toMatchObject([{ line: 4, fix: expect.stringContaining('semicolons') }])
  })

  test("a delimiter that is given counts, for names of one's own too", async () => {
    const names = { alert_pattern: 'a;b' }
    const text =
      'a;b,recovery_pattern,normalized_message,severity,alert_schema\nbad,ok,It broke,critical,immediate\n'
    expect((await load(text, names)).rules).toHaveLength(1)
    const { table } = await loadCsv(semicolons, {}, MODES, undefined, ';')
    expect(table.byId.size).toBe(1)
    await expect(loadCsv(semicolons, {}, MODES, undefined, 'tab')).rejects.toMatchObject({
      fix: expect.stringContaining('lookup_table.delimiter'),
    })
  })

  test('a header that nothing separates gets advice about that', async () => {
    await expect(load('alert_pattern:severity\nx\n')).rejects.toMatchObject({
      message: expect.stringContaining('one column'),
      fix: expect.stringContaining('semicolons'),
    })
  })

  test.each(['say \u201cno\u201d', 'it\u2019s', 'disk\u00a0full', 'disk\u200b full'])(
    'a look-alike in a pattern is a warning: %j',
    async pattern => {
      const { rules, problems } = await load(`${HEADER}\n${pattern},ok,X,critical,immediate\n`)
      expect(rules).toHaveLength(1)
      expect(problems).toMatchObject([
        { severity: 'warning', line: 2, column: 'alert_pattern', message: expect.stringContaining('U+') },
      ])
    },
  )

  test('curly quotes around a cell are named', async () => {
    const { problems } = await load(`${HEADER}\n\u201ca,b\u201d,ok,X,critical,immediate\n`)
    expect(problems[0]?.fix).toContain('not the curly ones')
  })
})

test('runbook and links of a row', async () => {
  const { rules, problems } = await load(
    `${HEADER},runbook,links\nbad,ok,X,critical,immediate,https://wiki/x,Dashboard https://g/1; Logs https://l/2\nworse,ok,Y,critical,immediate,ask Bob,call Bob\n`,
  )
  expect(rules[0]?.text).toMatchObject({
    runbook: 'https://wiki/x',
    links: 'Dashboard https://g/1; Logs https://l/2',
  })
  expect(rules[1]?.text).toEqual({ severity: 'critical', message: 'Y', pattern: 'worse' })
  expect(short(problems)).toEqual(['warning 3 runbook', 'warning 3 links'])
  // The identity of rows does not hang on them.
  const plain = await load(`${HEADER}\nbad,ok,X,critical,immediate\nbad,ok,Z,critical,immediate\n`)
  const more = await load(`${HEADER},runbook\nbad,ok,X,critical,immediate,\nbad,ok,Z,critical,immediate,\n`)
  expect(more.rules.map(({ id }) => id)).toEqual(plain.rules.map(({ id }) => id))
})
