import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Answer, cli } from '../support/cli.js'
import { ROOT } from '../support/shared.js'

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
