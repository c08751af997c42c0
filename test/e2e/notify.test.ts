import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HttpDestination, httpDestination } from 'tocsin/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startCommand } from '../support/command.js'

let folder: string
let sink: HttpDestination
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-notify-'))
  sink = await httpDestination()
  await writeFile(
    join(folder, 'tocsin.yaml'),
    `
extensions: {file_storage: {directory: state}, bearertokenauth/chat: {token: t0ken-of-chat}}
receivers: {stdin: }
exporters:
  webhook/oncall:
    endpoint: ${sink.url}/hooks/s3cret-path
    headers: {Authorization: Bearer t0ken-of-hook}
    body_template: '{"text": "{{notification.title}}", "token": "hidden-in-body"}'
    condition: 'severity_number > 99'
  otlp_http: {logs_endpoint: ${sink.url}/v1/logs, encoding: json, compression: none, auth: {authenticator: bearertokenauth/chat}}
service:
  extensions: [file_storage, bearertokenauth/chat]
  pipelines: {logs: {receivers: [stdin], exporters: [webhook/oncall, otlp_http]}}
`,
    { mode: 0o600 },
  )
})
afterEach(async () => {
  await sink.close()
  await rm(folder, { recursive: true })
})

const notify = (id: string) =>
  startCommand(['notify', id, '--config', 'tocsin.yaml'], { cwd: folder }).finished

test('sends an alert and its recovery, and shows request and answer without secrets', async () => {
  const { code, stdout, stderr } = await notify('webhook/oncall')
  expect(code).toBe(0)
  expect(sink.accepted.map(({ path }) => path)).toEqual(['/hooks/s3cret-path', '/hooks/s3cret-path'])
  expect(sink.accepted.map(({ headers }) => headers.authorization)).toEqual(
    Array(2).fill('Bearer t0ken-of-hook'),
  )
  const [alert, recovery] = sink.accepted.map(({ body }) => JSON.parse(body).text)
  expect(alert).toMatch(/^\[CRITICAL\] TEST alert of tocsin notify/)
  expect(recovery).toMatch(/^\[RECOVERED.*\] TEST alert of tocsin notify/)
  expect(stdout).toContain(`> POST ${sink.url}/[REDACTED]`)
  expect(stdout).toContain('TEST alert of tocsin notify')
  expect(stdout.match(/^< HTTP 200 OK$/gm)).toHaveLength(2)
  expect(stdout.match(/^Taken/gm)).toHaveLength(2)
  expect(stdout + stderr).not.toMatch(/s3cret-path|t0ken|hidden-in-body/)
})

test('is who the configuration says', async () => {
  const { code } = await notify('otlp_http')
  expect(code).toBe(0)
  expect(sink.accepted.map(({ headers }) => headers.authorization)).toEqual(
    Array(2).fill('Bearer t0ken-of-chat'),
  )
})

test('what is not taken is said, once, with the answer', async () => {
  sink.answer = () => ({ status: 403, body: 'go away, t0ken-of-hook' })
  const { code, stdout } = await notify('webhook/oncall')
  expect(code).toBe(1)
  expect(sink.requests).toHaveLength(2)
  expect(stdout).toMatch(/NOT TAKEN: .*403.*go away/)
  expect(stdout).not.toContain('t0ken')
})

test('an exporter that is not there is answered with those that are', async () => {
  const { code, stderr } = await notify('webhook')
  expect(code).toBe(1)
  expect(stderr).toContain(
    'There is no exporter webhook in a pipeline; there are: webhook/oncall, otlp_http.',
  )
})
