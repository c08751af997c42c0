import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, startCommand } from '../support/command.js'

let folder: string
let collector: Running
let socket: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-tap-'))
  socket = join(folder, 'run', 'tap.sock')
  await writeFile(
    join(folder, 'tocsin.yaml'),
    `
receivers: {demo_logs: }
processors: {stateful_alert: {patterns: [{alert_pattern: 'ERROR', normalized_message: x, severity: error, alert_schema: immediate}]}}
exporters: {file: {path: out.jsonl}}
service:
  telemetry: {tap: {socket: ${socket}}, metrics: {level: none}}
  pipelines: {logs: {receivers: [demo_logs], processors: [stateful_alert], exporters: [file]}}
`,
  )
  collector = startCommand(['--config', join(folder, 'tocsin.yaml')], { cwd: folder })
  await collector.says(/is running/)
})
afterAll(async () => {
  collector.child.kill()
  await collector.finished
  await rm(folder, { recursive: true })
})

const tap = (...args: string[]): Running => startCommand(['tap', '--socket', socket, ...args])

test('says which points there are', async () => {
  const { code, stdout } = await tap().finished
  expect(code).toBe(0)
  expect(stdout.split('\n')).toEqual([
    'receiver/demo_logs',
    'processor/stateful_alert',
    'logs',
    'exporter/file',
    '',
  ])
})

test('shows records as they go by, and ends by itself', async () => {
  const { code, stdout } = await tap('stateful_alert', '-n', '2').finished
  expect(code).toBe(0)
  expect(stdout.trim().split('\n')).toHaveLength(2)
  expect(stdout).toMatch(/^\d{4}-\S+Z \w+ \[logs\] .*service\.name=/)
})

test('shows only what the condition is true of', async () => {
  const { stdout } = await tap(
    'logs',
    '--json',
    '-n',
    '2',
    '--condition',
    'severity_number == SEVERITY_NUMBER_DEBUG',
  ).finished
  const found = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(found.map(({ severity_number }) => severity_number)).toEqual([5, 5])
})

test.each([
  [['nowhere'], /"nowhere" does not run here\. There are: receiver\/demo_logs/],
  [['logs', '--condition', 'severity ='], /severity =/],
  [['logs', '--sample', '2'], /above 0, up to 1/],
])('%s is answered with what is wrong', async (args, said) => {
  const { code, stderr } = await tap(...args).finished
  expect(code).toBe(1)
  expect(stderr).toMatch(said)
})

test('a collector that is not there is said', async () => {
  const { code, stderr } = await startCommand(['tap', '--socket', join(folder, 'none.sock')]).finished
  expect(code).toBe(1)
  expect(stderr).toContain('nothing runs at')
})

test('only its user can open the socket; what is no question is answered and ends', async () => {
  expect((await stat(socket)).mode & 0o777).toBe(0o600)
  expect((await stat(join(folder, 'run'))).mode & 0o777).toBe(0o700)
  const client = connect(socket)
  client.write('GET / HTTP/1.1\r\n\r\n')
  const chunks: Buffer[] = []
  for await (const chunk of client) chunks.push(chunk as Buffer)
  expect(JSON.parse(Buffer.concat(chunks).toString())).toHaveProperty('error')
})

test('the socket goes with the collector', async () => {
  const one = startCommand(
    ['--config', join(folder, 'tocsin.yaml'), '--set', `service.telemetry.tap.socket=${folder}/run/2.sock`],
    { cwd: folder },
  )
  await one.says(/is running/)
  await stat(`${folder}/run/2.sock`)
  one.child.kill()
  await one.finished
  await expect(stat(`${folder}/run/2.sock`)).rejects.toThrow()
})
