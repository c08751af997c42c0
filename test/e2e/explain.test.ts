import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, cli } from '../support/cli.js'
import { startCommand } from '../support/command.js'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-explain-'))
  writeFileSync(
    join(folder, 't.csv'),
    `alert_pattern,recovery_pattern,normalized_message,severity,alert_schema,rule_id
connection refused,connection established,Database Connection Failed,critical,immediate,db
Connection Refused,,Other Case,warning,immediate,case
`,
  )
  writeFileSync(
    join(folder, 'collector.yaml'),
    `receivers: { stdin: }
processors:
  filter: { log_conditions: ['IsMatch(body, "DEBUG")'] }
  stateful_alert: { lookup_table: { location: t.csv }, storage: file_storage }
exporters:
  file: { path: out.jsonl, condition: 'attributes["alert"]["skip_webhook"] == false' }
extensions:
  file_storage: { directory: ./data }
  alert_history: { storage: file_storage, exporters: [file] }
service:
  extensions: [file_storage, alert_history]
  pipelines: { logs: { receivers: [stdin], processors: [filter, stateful_alert], exporters: [file] } }
`,
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function tocsin(args: readonly string[]): Promise<Answer> {
  return cli(args, { cwd: folder })
}

async function explained(...args: string[]) {
  const { code, stdout, stderr } = await tocsin(['explain', '-c', 'collector.yaml', '--json', ...args])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return JSON.parse(stdout)
}

test('a line: rows that match and nearly match, the decision, what would be sent', async () => {
  const { pipelines } = await explained('ERROR connection refused')
  const [, alert] = pipelines[0].steps
  expect(alert.findings).toMatchObject([
    { kind: 'matches', row: { ruleId: 'db', line: 2 }, spans: [[6, 24]] },
    { kind: 'nearly', row: { ruleId: 'db' } },
    { kind: 'nearly', row: { ruleId: 'case' }, why: 'it differs in upper and lower case' },
  ])
  expect(alert.decisions).toMatchObject([{ reason: 'alert', episode: 'begins', row: { ruleId: 'db' } }])
  expect(pipelines[0].exporters).toMatchObject([{ exporter: 'file', sent: true }])
})

test('a filter that drops it names its condition', async () => {
  const { pipelines } = await explained('DEBUG connection refused')
  expect(pipelines[0].steps).toMatchObject([
    { dropped: true, findings: [{ kind: 'matches', part: 'condition IsMatch(body, "DEBUG")' }] },
  ])
  expect(pipelines[0].exporters).toEqual([])
})

test('an event, and its state, from the storage of a collector; nothing is changed there', async () => {
  const ran = await startCommand(['-c', 'collector.yaml'], {
    cwd: folder,
    input: 'ERROR connection refused\n',
  }).finished
  expect(ran.code).toBe(0)
  const { pipelines } = await explained('ERROR connection refused')
  const [decision] = pipelines[0].steps[1].decisions
  expect(decision).toMatchObject({
    reason: 'alert_duplicate',
    before: { active: { row: {} }, duplicates: 0 },
  })
  expect(pipelines[0].exporters).toMatchObject([{ sent: false, reason: 'condition_false' }])
  const { happened, ...now } = await explained('--event-id', decision.before.episode.eventId)
  expect(happened.row.pattern).toBe('connection refused')
  expect(happened.notifications).toMatchObject([{ exporter: 'file', tells: 'alert', state: 'sent' }])
  expect(now.pipelines[0].steps[1].decisions[0].before).toEqual(decision.before)
})

test('bad input has a clear answer', async () => {
  for (const [args, says] of [
    [['--event-id', 'nope'], /no alert with the event_id nope/],
    [['--pipeline', 'nope', 'x'], /no pipeline nope/],
    [[' '], /the line is empty/],
    [['--at', 'noon', 'x'], /--at noon: write a time/],
  ] as const) {
    const { code, stderr } = await tocsin(['explain', '-c', 'collector.yaml', ...args])
    expect(code).toBe(1)
    expect(stderr).toMatch(says)
  }
})
