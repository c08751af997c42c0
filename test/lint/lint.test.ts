import { chmod, cp, lstat, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Answer, cli } from '../support/cli.js'
import { ROOT } from '../support/shared.js'

// The first one loads what all need, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-lint-'))
  for (const name of ['tocsin.yaml', 'alerts.csv'])
    await cp(join(ROOT, 'test/lint', name), join(folder, name))
  await chmod(join(folder, 'tocsin.yaml'), 0o600)
})
afterEach(() => rm(folder, { recursive: true }))

async function lint(...args: string[]): Promise<Answer> {
  return cli(['lint', '--config', join(folder, 'tocsin.yaml'), ...args])
}

/** Lines of which only the first row of the table matches some. */
async function logFile(): Promise<string> {
  const file = join(folder, 'app.log.gz')
  await writeFile(file, gzipSync('INFO all is well\nERROR db connection refused\n'))
  return file
}

test('each finding says what, where and how to mend it', async () => {
  const { code, stdout } = await lint('--log', await logFile())
  expect(code).toBe(1)
  expect(stdout.replaceAll(folder, '')).toMatchSnapshot()
  expect(stdout).not.toContain('hunter2')
})

test('docs/lint.md explains each of them, and nothing else', async () => {
  const { stdout } = await lint('--format', 'json', '--log', await logFile())
  const codes = stdout.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line).code as string]))
  const page = await readFile(join(ROOT, 'docs/lint.md'), 'utf8')
  const explained = [...page.matchAll(/^### `([\w-]+)`/gm)].map(([, code]) => code)
  expect([...new Set([...codes, 'configuration'])].sort()).toEqual(explained.sort())
})

test('codes can be left out', async () => {
  const { stdout } = await lint('--ignore', 'overlap', 'slow-pattern')
  expect(stdout).toContain('[same-row]')
  expect(stdout).not.toMatch(/\[(overlap|slow-pattern)\]/)
})

test('--fix takes out rows that do nothing, and only these', async () => {
  const before = (await readFile(join(folder, 'alerts.csv'), 'utf8')).split('\n')
  const { stdout, stderr } = await lint('--fix')
  expect(stderr).toMatch(/alerts\.csv: 1 line removed/)
  expect(stdout).not.toContain('[duplicate-row]')
  const after = await readFile(join(folder, 'alerts.csv'), 'utf8')
  expect(after.split('\n')).toEqual(before.filter((_, at) => at !== 2))
})

test('SARIF names rule, file and line', async () => {
  const { stdout } = await lint('--format', 'sarif')
  const [run] = JSON.parse(stdout).runs
  const found = run.results.find((result: { ruleId: string }) => result.ruleId === 'duplicate-row')
  expect(found).toMatchObject({
    level: 'warning',
    locations: [{ physicalLocation: { region: { startLine: 3 } } }],
  })
  expect(found.locations[0].physicalLocation.artifactLocation.uri).toMatch(/alerts\.csv$/)
  expect(run.tool.driver.rules.map((rule: { id: string }) => rule.id)).toContain('duplicate-row')
})

test('a configuration that is as it should be has no findings; an invalid one says why', async () => {
  const file = join(folder, 'good.yaml')
  await writeFile(
    file,
    'receivers: {stdin: }\nexporters: {debug: }\nservice: {pipelines: {logs: {receivers: [stdin], exporters: [debug]}}}\n',
  )
  expect(await cli(['lint', '--config', file])).toMatchObject({ code: 0, stdout: 'Nothing found.\n' })
  await writeFile(file, 'receivers: {stdin: {x: 1}}\n')
  const { code, stdout } = await cli(['lint', '--config', file])
  expect(code).toBe(1)
  expect(stdout).toContain('unknown key "x"')
})

/** A table of rows with this header, and a configuration around it. */
async function tableOf(name: string, rows: string, more = ''): Promise<string> {
  const header = 'alert_pattern,recovery_pattern,normalized_message,severity,alert_schema,rule_id'
  const text = `${header}\n${rows}`
  await writeFile(join(folder, name), name.endsWith('.gz') ? gzipSync(text) : text)
  const file = join(folder, 'made.yaml')
  const configuration = `receivers: { stdin: }
processors: { stateful_alert: { lookup_table: { location: ${name} } } }
exporters:
  webhook: { endpoint: 'https://oncall.example/', condition: 'attributes["alert"]["skip_webhook"] == false'${more} }
  file: { path: out.jsonl }
connectors: { forward: }
service: { pipelines: { logs: { receivers: [stdin], processors: [stateful_alert], exporters: [webhook] } } }
`
  await writeFile(file, configuration, { mode: 0o600 })
  return file
}

/** `PLACE CODE` of each finding. */
async function found(file: string, ...args: string[]): Promise<readonly string[]> {
  const { stdout } = await cli([
    'lint',
    '--config',
    file,
    '--format',
    'json',
    '--ignore',
    'unused-component',
    ...args,
  ])
  return stdout.split('\n').flatMap(line => {
    if (line === '') return []
    const {
      line: at,
      code,
      path,
    } = JSON.parse(line) as { line: number; code: string; path: readonly string[] }
    return `${at} ${path.join('.')} ${code}`
  })
}

test('a duplicate is told once, and no other row because of it', async () => {
  const file = await tableOf(
    't.csv',
    'ERROR db,OK db,M,error,immediate,a\nERROR db,OK db,M,error,immediate,a\n',
  )
  expect(await found(file)).toEqual(['3  duplicate-row'])
})

test('rows with the same lines are named by each other, not by a wider one', async () => {
  const rows =
    'late,ok,M,error,immediate,a\nlate \\d ms,ok,M,error,immediate,b\nlate [0-9] ms,ok,M,error,immediate,c\n'
  const file = await tableOf('t.csv', rows)
  expect(await found(file)).toEqual(['3 alert_pattern overlap', '4 alert_pattern same-row'])
  expect((await cli(['lint', '--config', file])).stdout).toContain('line 3 fires on its lines too')
})

test('an alert that nobody hears of behind a connector, and duplicates that a connector passes on', async () => {
  const file = await tableOf('t.csv', 'ERROR db,OK db,M,error,immediate,a\n')
  const text = await readFile(file, 'utf8')
  const behind = (exporter: string) =>
    text
      .replace(
        'exporters: [webhook] }',
        'exporters: [forward] }, logs/out: { receivers: [forward], exporters: [X] }',
      )
      .replace('[X]', `[${exporter}]`)
  await writeFile(file, behind('file').replace(/ {2}webhook: .*\n/, ''))
  expect(await found(file)).toEqual(['6 service.pipelines.logs no-alert-route'])
  await writeFile(file, behind('webhook').replace(/ {2}file: .*\n/, ''))
  expect(await found(file)).toEqual([])
  await writeFile(
    file,
    behind('webhook')
      .replace(/ {2}file: .*\n/, '')
      .replace(/, condition: '[^']*'/, ''),
  )
  expect(await found(file)).toEqual(['2 processors.stateful_alert duplicates-notify'])
})

test('a template that shows what no alert has', async () => {
  const shown =
    '{{alert.mesage}} {{alert.severity}} {{alert.links}} {{alert.links.Wiki}} {{attributes.alert.rule_id}}'
  const template = `, body_template: '{"text": "${shown}"}'`
  const file = await tableOf('t.csv', 'ERROR db,OK db,M,error,immediate,a\n', template)
  const { stdout } = await cli(['lint', '--config', file, '--ignore', 'unused-component'])
  expect(stdout).toContain('{{alert.mesage}} is empty in every record')
  expect(stdout).toContain('[unmade-name]\n\n1 found')
})

test('--fix leaves a packed table whole, and keeps the mode of a file and a link to it', async () => {
  const twice = 'ERROR db,OK db,M,error,immediate,a\nERROR db,OK db,M,error,immediate,a\n'
  const packed = await tableOf('t.csv.gz', twice)
  const before = await readFile(join(folder, 't.csv.gz'))
  const { code, stderr } = await cli(['lint', '--config', packed, '--fix'])
  expect(code).toBe(1)
  expect(stderr).toContain('left as it is: it is no plain text')
  expect((await readFile(join(folder, 't.csv.gz'))).equals(before)).toBe(true)

  const file = await tableOf('real.csv', twice)
  await chmod(join(folder, 'real.csv'), 0o640)
  await symlink('real.csv', join(folder, 'link.csv'))
  await writeFile(file, (await readFile(file, 'utf8')).replace('real.csv', 'link.csv'))
  expect((await cli(['lint', '--config', file, '--fix'])).stderr).toContain('1 line removed')
  expect((await lstat(join(folder, 'link.csv'))).isSymbolicLink()).toBe(true)
  expect((await lstat(join(folder, 'real.csv'))).mode & 0o777).toBe(0o640)
  expect(await found(file)).toEqual([])
})

test('a log that cannot be read is named', async () => {
  const file = await tableOf('t.csv', 'ERROR db,OK db,M,error,immediate,a\n')
  for (const [log, says] of [
    [join(folder, 'none.log'), /--log .*none\.log cannot be read: .*no such file/],
    [folder, /--log .* cannot be read: it is a folder/],
  ] as const) {
    const { code, stderr } = await cli(['lint', '--config', file, '--log', log])
    expect(code).toBe(1)
    expect(stderr).toMatch(says)
  }
})

test('SARIF: the name of a file is a URI', async () => {
  const file = join(folder, 'an odd#name?.yaml')
  await writeFile(file, 'receivers: [')
  const { stdout } = await cli(['lint', '--config', file, '--format', 'sarif'])
  const [{ locations }] = JSON.parse(stdout).runs[0].results
  const { uri } = locations[0].physicalLocation.artifactLocation
  expect(uri).toMatch(/\/an%20odd%23name%3F\.yaml$/)
})
