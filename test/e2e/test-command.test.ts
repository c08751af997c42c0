import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cli } from '../support/cli.js'
import { startCommand } from '../support/command.js'
import { ROOT } from '../support/shared.js'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-test-'))
  cpSync(join(ROOT, 'distributions/stateful-alert/examples'), folder, { recursive: true })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(...args: string[]) {
  return cli(['test', ...args], { cwd: folder })
}

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return name
}

/** Without what differs from run to run. */
function steady(text: string): string {
  return text.replace(/\d+\.\d+ s/g, '_ s').replace(/time="[^"]*"/g, 'time="_"')
}

test('the tests beside the examples pass, and fire every row', async () => {
  const finished = await startCommand(['test', 'distributions', '--coverage', '100']).finished
  expect(finished.stderr).toBe('')
  expect(finished.stdout).toContain('collector.yaml: 4 of 4 rows fire (100 %)')
  expect(finished.code).toBe(0)
})

describe('a changed row makes a test fail', () => {
  const csv = readFileSync(join(ROOT, 'distributions/stateful-alert/examples/collector.csv'), 'utf8')
  test.each([
    ['a pattern', 'ERROR.*connection refused', 'FATAL.*connection refused'],
    ['a recovery', 'connection established', 'connection is back'],
    ['a message', 'High Disk Usage', 'Disk Full'],
    ['a severity', 'Failed,critical', 'Failed,warning'],
    ['N', 'threshold,3,300', 'threshold,2,300'],
    ['T', 'threshold,3,300', 'threshold,3,120'],
    ['E', 'immediate,3600', 'immediate,1800'],
    ['M', '60,2,300', '60,1,300'],
  ])('%s', async (what, from, to) => {
    expect(csv).toContain(from)
    const file = write(`mutated ${what}.csv`, csv.replace(from, to))
    const { code, stdout, stderr } = await run(
      'collector.test.yaml',
      '--set',
      `processors.stateful_alert.lookup_table.location=${file}`,
    )
    expect(stderr).toBe('')
    expect(stdout).toContain('✗')
    expect(code).toBe(1)
  })
})

test('failures show what was expected, what came, and where that stands', async () => {
  const name = write(
    'failing.test.yaml',
    `config: collector.yaml
env: { ONCALL_URL: https://oncall.example/hook }
tests:
  - name: another severity, and one alert too many
    input:
      - { body: ERROR connection refused }
      - { at: 10s, body: OOM killer killed 4711 }
    expect:
      alerts:
        - { at: 0s, severity: warning, message: { regex: ^Database } }
  - name: nobody is told
    input: [{ body: ERROR connection refused }]
    expect:
      notifications: { webhook/oncall: [] }
  - name: it recovers
    input: [{ body: OOM killer killed 4711 }]
    advance: 30m
    expect:
      recoveries: [{ at: 1h }]
      statuses: { alert_duplicate: 1 }
  - name: a text of several lines
    input: [{ body: ERROR connection refused, times: 2, every: 1m }, { at: 2m, body: connection established }]
    expect:
      notifications:
        webhook/oncall:
          - {}
          - body: |-
              connection established

              Since: 15/01/2026 10:00:00 UTC (3m)
              Repeated: 1 time since then
              Ended: a log line says that it recovered
  - name: no snapshot yet
    expect: { snapshot: true }
  - name: no such pipeline
    pipeline: traces
    input: [{ body: x }]
    expect: { alerts: [] }
`,
  )
  const { code, stdout } = await run(name, '--junit', 'junit.xml')
  expect(code).toBe(1)
  expect(steady(stdout)).toMatchSnapshot()
  expect(steady(readFileSync(join(folder, 'junit.xml'), 'utf8'))).toMatchSnapshot()
  const tap = await run(name, '--tap', '--filter', 'nobody')
  expect(steady(tap.stdout)).toMatchSnapshot()
})

test('--update writes snapshots, which later runs are held to', async () => {
  const name = write(
    'kept.test.yaml',
    `config: collector.yaml
env: { ONCALL_URL: https://oncall.example/hook }
tests:
  - name: kept
    input: [{ body: ERROR connection refused }]
    expect: { snapshot: true }
`,
  )
  expect((await run(name, '--update')).code).toBe(0)
  expect((await run(name)).code).toBe(0)
  const text = readFileSync(join(folder, name), 'utf8')
  write(name, text.replace('refused', 'refused again'))
  const { code, stdout } = await run(name)
  expect(code).toBe(1)
  expect(stdout).toContain('+       "body": "ERROR connection refused again"')
})

test('mistakes in a file name line, key and fix', async () => {
  const name = write(
    'wrong.test.yaml',
    `config: collector.yaml
tests:
  - name: one
    inputs: [{ body: x, at: 5 }]
    expect:
      alerts: [{ titel: x }]
      nothing: true
  - name: one
    input: [{ at: 5s }]
    expect: {}
`,
  )
  const { code, stdout } = await run(name)
  expect(code).toBe(1)
  expect(steady(stdout)).toMatchSnapshot()
})

test('rows that no test fires', async () => {
  const name = write(
    'covered.test.yaml',
    `config: collector.yaml
env: { ONCALL_URL: https://oncall.example/hook }
tests:
  - name: one row
    input: [{ body: ERROR connection refused }]
    expect: { alerts: [{}] }
`,
  )
  const { code, stdout } = await run(name, '--coverage', '50')
  expect(code).toBe(1)
  expect(stdout).toContain('1 of 4 rows fire (25 %), less than 50 %')
  expect(stdout).toContain('no test fires collector.csv:3: High Disk Usage')
})

test('--watch runs again when the table changes', async () => {
  const name = write('watched.test.yaml', readFileSync(join(folder, 'covered.test.yaml'), 'utf8'))
  const csv = readFileSync(join(folder, 'collector.csv'), 'utf8')
  const running = startCommand(['test', '--watch', name], { cwd: folder })
  await running.says(/1 passed.*\n.*Waiting/s, 60_000)
  write('collector.csv', csv.replace('connection refused', 'never so'))
  await running.says(/1 failed[\s\S]*Waiting/, 60_000)
  running.child.kill('SIGINT')
  expect((await running.finished).code).toBe(1)
  write('collector.csv', csv)
})

test('what no test can mean is a mistake, and is told where it stands', async () => {
  const header = 'config: collector.yaml\nenv: { ONCALL_URL: https://oncall.example/hook }\n'
  const name = write(
    'meant.test.yaml',
    `${header}tests:
  - name: an exporter that is not there
    expect:
      notifications: { webhook/none: [] }
      records: { webhook/nobody: [] }
  - name: a setting of its own
    set: [processors.stateful_alert.nope=1]
    expect: { alerts: [] }
  - name: good
    expect: { alerts: [] }
`,
  )
  const { code, stdout } = await run(name, '--junit', 'reports/new/junit.xml')
  expect(code).toBe(1)
  expect(stdout).toContain(
    'meant.test.yaml:6: there is no exporter webhook/none; those that tell people: webhook/oncall',
  )
  expect(stdout).toContain(
    'meant.test.yaml:7: there is no exporter webhook/nobody; there are: webhook/oncall',
  )
  expect(stdout).toMatch(/meant\.test\.yaml:8: --set processors\.stateful_alert\.nope: .*unknown key "nope"/)
  expect(stdout).toContain('1 passed, 2 failed')
  expect(readFileSync(join(folder, 'reports/new/junit.xml'), 'utf8')).toContain('tests="3" failures="2"')

  const none = await run(name, '--filter', 'godo')
  expect(none).toMatchObject({ code: 1, stderr: 'No test has "godo" in its name (--filter).\n' })

  const pattern = write(
    'pattern.test.yaml',
    `${header}tests:
  - name: x
    expect: { notifications: { webhook/oncall: [{ request: { body: { text: { regex: '(((' } } } }] } }
`,
  )
  const wrong = await run(pattern)
  expect(wrong.code).toBe(1)
  expect(wrong.stdout).toMatch(
    /pattern\.test\.yaml:5:\d+: tests\[0\]\.expect\..*regex: "\(\(\(" is no regular expression/,
  )
})
