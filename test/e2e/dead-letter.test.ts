import { once } from 'node:events'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HttpDestination, httpDestination } from 'tocsin/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cli } from '../support/cli.js'
import { type Collector, startCollector } from '../support/collector.js'
import { runCommand, startCommand } from '../support/command.js'

let folder = ''
let sink: HttpDestination
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
  sink = await httpDestination()
  await writeFile(join(folder, 'in.log'), '')
  await writeConfig()
})
afterEach(async () => {
  await sink.close()
  await rm(folder, { recursive: true, force: true })
})

async function writeConfig(exporter = 'webhook/oncall', extensions = '[file_storage]'): Promise<void> {
  await writeFile(
    join(folder, 'tocsin.yaml'),
    `
extensions:
  file_storage: { directory: data }
receivers:
  file_log: { include: [in.log], start_at: beginning, poll_interval: 50ms${extensions === '[]' ? '' : ', storage: file_storage'} }
exporters:
  ${exporter}: { endpoint: '${sink.url}/in' }
service:
  extensions: ${extensions}
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [file_log], exporters: [${exporter}] }
`,
  )
}

const config = (): string[] => ['--config', join(folder, 'tocsin.yaml')]
const deadLetter = (...args: string[]) => cli(['dead-letter', ...args, ...config()])

async function listed(...args: string[]): Promise<{ id: string; [key: string]: unknown }[]> {
  const { stdout, code, stderr } = await deadLetter('list', '--json', ...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await holds()); ) {
    if (Date.now() > deadline) throw new Error('It did not come to be.')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function collectorWithDeadLetter(): Promise<Collector> {
  const collector = await startCollector(await readFile(join(folder, 'tocsin.yaml'), 'utf8'), { folder })
  await until(async () => collector.logs.some(({ message }) => message.includes('became dead letters')))
  return collector
}

const bodies = (): string[] => sink.accepted.map(({ body }) => JSON.parse(body).body)

test('while the collector runs, dead letters can be listed, dropped and sent again', async () => {
  const collector = startCommand(config())
  await collector.says(/is running/)
  sink.answer = () => 400
  await appendFile(join(folder, 'in.log'), 'one\ntwo\nthree\n')
  await until(async () => (await listed()).length === 3)
  const [one, two] = await listed()
  expect(one).toMatchObject({
    component: 'exporter/webhook/oncall',
    pipeline: 'logs',
    reason: 'refused',
    detail: expect.stringContaining('answered 400'),
    retry_requested: false,
    records: [{ body: 'one' }],
  })
  const { stdout } = await deadLetter('list', '--component', 'webhook/oncall')
  expect(stdout).toContain(`${one?.id} `)
  expect(stdout).toMatch(/exporter\/webhook\/oncall: refused \(.*answered 400/)

  expect(await runCommand(['dead-letter', 'drop', two?.id as string, ...config()])).toMatchObject({
    code: 0,
    stdout: '1 dead letter dropped.\n',
  })
  sink.answer = undefined
  expect(
    await runCommand(['dead-letter', 'retry', '--component', 'webhook/oncall', ...config()]),
  ).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^2 dead letters will be sent again/),
  })
  await sink.waitFor(2)
  expect(bodies()).toEqual(['one', 'three'])
  expect(await listed()).toEqual([])
  collector.child.kill('SIGTERM')
  expect(await collector.finished).toMatchObject({ code: 0 })
})

test('while it is stopped they can be too, and are sent at the next start', async () => {
  sink.answer = () => 400
  await writeFile(join(folder, 'in.log'), 'one\n')
  await (await collectorWithDeadLetter()).stop()
  const [letter] = await listed()
  const ids = [letter?.id as string, '0-0']
  expect(await deadLetter('retry', ...ids)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^1 dead letter will be sent again/),
    stderr: 'There is no dead letter 0-0.\n',
  })
  expect(await listed()).toMatchObject([{ retry_requested: true }])
  expect((await deadLetter('list')).stdout).toContain('[will be sent again]')
  sink.answer = undefined
  const second = await startCollector(await readFile(join(folder, 'tocsin.yaml'), 'utf8'), { folder })
  await sink.waitFor(1)
  expect(bodies()).toEqual(['one'])
  // The same event, so that the destination can tell.
  expect(sink.requests.at(-1)?.headers['idempotency-key']).toBe(sink.requests[0]?.headers['idempotency-key'])
  await second.stop()
  expect((await deadLetter('list')).stdout).toBe('There are no dead letters.\n')
})

test('the answer of a destination cannot steer the terminal that lists it', async () => {
  const hostile = createServer((_, response) => response.writeHead(400).end('\u001b[2J\u202egone'))
  hostile.listen(0, '127.0.0.1')
  await once(hostile, 'listening')
  const { port } = hostile.address() as AddressInfo
  await writeFile(join(folder, 'in.log'), 'one\n')
  const yaml = await readFile(join(folder, 'tocsin.yaml'), 'utf8')
  await writeFile(join(folder, 'tocsin.yaml'), yaml.replace(sink.url, `http://127.0.0.1:${port}`))
  await (await collectorWithDeadLetter()).stop()
  hostile.close()
  expect((await deadLetter('list')).stdout).toMatch(/answered 400: \[2J gone\)\n$/)
})

test('what cannot be done is said', async () => {
  expect(await deadLetter('list')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^There is no storage in .*data: no collector has run with it yet\.\n$/),
  })
  expect(await deadLetter('drop')).toMatchObject({ code: 1 })
  sink.answer = () => 400
  await writeFile(join(folder, 'in.log'), 'one\n')
  await (await collectorWithDeadLetter()).stop()
  expect((await deadLetter('drop')).stderr).toContain('Name the ids of letters')
  await writeConfig('webhook/other')
  expect(await deadLetter('retry', '--all')).toMatchObject({
    code: 1,
    stdout: 'Nothing will be sent again.\n',
    stderr: expect.stringContaining('webhook/oncall cannot be sent again: that exporter is in no pipeline'),
  })
  await writeConfig('webhook/other', '[]')
  expect((await deadLetter('list')).stderr).toContain('No storage extension is configured')
})
