import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Collector, startCollector } from '../../test/support/collector.js'

const hasTools = ['rsyslogd', 'logrotate'].every(
  (name, index) => spawnSync(name, [index === 0 ? '-v' : '--version']).status === 0,
)
const PATIENCE = { timeout: 30_000, interval: 50 }

let dir: string
let rsyslog: ChildProcess | undefined
let collector: Collector | undefined
let sender: Socket | undefined

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rsyslog-'))
})

afterEach(async () => {
  await collector?.stop()
  sender?.destroy()
  if (rsyslog && rsyslog.exitCode === null) {
    const gone = once(rsyslog, 'exit')
    rsyslog.kill('SIGKILL')
    await gone
  }
  collector = sender = rsyslog = undefined
  rmSync(dir, { recursive: true, force: true })
})

const title = hasTools ? '' : ' (skipped: install rsyslog and logrotate to run this)'

describe.skipIf(!hasTools)(`files that Debian's rsyslogd writes and logrotate rotates${title}`, () => {
  test.each([
    ['create', 'app.log'],
    ['create\ncompress\ndelaycompress', 'app.log*'],
    ['copytruncate', 'app.log'],
    ['copytruncate\ncompress', 'app.log*'],
  ])(
    'with %s and %s: each record of several lines once, in order, also over a restart',
    async (how, include) => {
      await startRsyslog()
      writeFileSync(
        at('rotate.conf'),
        `"${at('app.log')}" {\nrotate 20\nmissingok\n${how}\npostrotate\nkill -HUP $(cat ${at('pid')})\nendscript\n}\n`,
      )
      collector = await startCollector(yaml(include), { folder: dir })
      const sent: string[] = []
      let stopping = false
      let pause = Promise.resolve()
      const sending = (async () => {
        while (!stopping) {
          await pause
          for (let turn = 0; turn < 20; turn++) {
            sent.push(`n=${sent.length} ERROR it broke\n  at one\n  at two`)
            send(sent.at(-1) as string)
          }
          await sleep(10)
        }
      })()
      for (let turn = 0; turn < 6; turn++) {
        const before = sent.length
        await expect.poll(() => told().length, PATIENCE).toBeGreaterThan(before)
        if (turn === 3) {
          await collector.stop()
          collector = undefined
        }
        let goOn = (): void => {}
        // What is written between a copy and its truncation is lost with that way to rotate.
        if (how.startsWith('copy')) {
          pause = new Promise(resolve => {
            goOn = resolve
          })
          await sleep(20)
          await written(sent.length)
        }
        rotate()
        goOn()
        collector ??= await startCollector(yaml(include), { folder: dir })
      }
      stopping = true
      await sending
      await expect.poll(() => told().length, PATIENCE).toBeGreaterThanOrEqual(sent.length)
      await sleep(500)
      expect(told()).toEqual(sent)
    },
  )
})

function yaml(include: string): string {
  return `
receivers:
  file_log:
    include: ['${include}']
    start_at: beginning
    storage: file_storage
    poll_interval: 20ms
    multiline: { line_start_pattern: '^n=' }
exporters:
  file: { path: told.json }
extensions:
  file_storage: { directory: data }
service:
  extensions: [file_storage]
  pipelines:
    logs: { receivers: [file_log], exporters: [file] }
`
}

async function startRsyslog(): Promise<void> {
  writeFileSync(
    at('rsyslog.conf'),
    `global(workDirectory="${dir}" parser.escapeControlCharactersOnReceive="off" maxMessageSize="64k")
module(load="imptcp")
template(name="as_it_is" type="string" string="%msg:2:$%\\n")
input(type="imptcp" path="${at('socket')}" unlink="on" supportOctetCountedFraming="on" ruleset="file")
ruleset(name="file") { action(type="omfile" file="${at('app.log')}" template="as_it_is") }
`,
  )
  rsyslog = spawn('rsyslogd', ['-n', '-f', at('rsyslog.conf'), '-i', at('pid')], { stdio: 'ignore' })
  await expect.poll(() => existsSync(at('socket')) && existsSync(at('pid')), PATIENCE).toBe(true)
  sender = connect(at('socket'))
  await once(sender, 'connect')
}

function send(text: string): void {
  const message = `<13>Nov 20 10:00:00 host app: ${text}`
  sender?.write(`${Buffer.byteLength(message)} ${message}`)
}

function rotate(): void {
  const { status, stderr } = spawnSync('logrotate', ['-f', '-s', at('state'), at('rotate.conf')])
  expect(status, String(stderr)).toBe(0)
}

/** Resolves when rsyslog has written all that was sent. */
async function written(count: number): Promise<void> {
  const last = `n=${count - 1} `
  const isThere = (): boolean => {
    const text = statSync(at('app.log')).size > 0 ? readFileSync(at('app.log'), 'utf8') : ''
    return text.includes(last) && text.endsWith('  at two\n')
  }
  await expect.poll(isThere, PATIENCE).toBe(true)
}

function told(): string[] {
  if (!existsSync(at('told.json'))) return []
  const lines = readFileSync(at('told.json'), 'utf8').split('\n').slice(0, -1)
  return lines.flatMap(line =>
    [...line.matchAll(/"stringValue":"(n=(?:[^"\\]|\\.)*)"/g)].map(([, text]) => JSON.parse(`"${text}"`)),
  )
}

function at(name: string): string {
  return join(dir, name)
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
