import { copyFile, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { collectingLogger, type LogEntry, VirtualClock } from '../../testing/index.js'
import { createHttpSender } from './sender.js'
import { openTlsSource } from './tls-source.js'

const fixtures = fileURLToPath(new URL('./fixtures', import.meta.url))
const MINE = { ca_file: 'ca.pem', cert_file: 'mine.pem', key_file: 'mine.key' }

let baseDir = ''
let clock = new VirtualClock()
let logs: LogEntry[] = []
beforeEach(async () => {
  baseDir = await mkdtemp(join(tmpdir(), 'tocsin-tls-'))
  clock = new VirtualClock()
  logs = []
  await copyFile(`${fixtures}/ca.pem`, join(baseDir, 'ca.pem'))
  await use('client')
})
afterEach(() => rm(baseDir, { recursive: true, force: true }))

let times = 0
/** Puts a certificate of the fixtures, and its key, where ours is. */
async function use(name: string, parts = ['pem', 'key']): Promise<void> {
  for (const part of parts) {
    const file = join(baseDir, `mine.${part}`)
    await copyFile(`${fixtures}/${name}.${part}`, file)
    await utimes(file, ++times, times)
  }
}

const open = () => openTlsSource(MINE, { baseDir, clock, logger: collectingLogger(logs) })

it('reads changed files again, at most once a minute', async () => {
  const source = await open()
  const first = await source.current()
  expect(first.cert).toBe(await readFile(`${fixtures}/client.pem`, 'utf8'))
  await use('server')
  await clock.advance(59_000)
  expect(await source.current()).toBe(first)
  await clock.advance(1_000)
  const [second, same] = await Promise.all([source.current(), source.current()])
  expect(second.cert).toBe(await readFile(`${fixtures}/server.pem`, 'utf8'))
  expect(same).toBe(second)
  await clock.advance(120_000)
  expect(await source.current()).toBe(second)
  expect(logs.map(({ message }) => message)).toEqual([
    'The certificates have changed and are used from now on.',
  ])
})

it('keeps what works while a renewal is under way', async () => {
  const source = await open()
  const first = await source.current()
  await use('server', ['pem'])
  await clock.advance(60_000)
  expect(await source.current()).toBe(first)
  await rm(join(baseDir, 'mine.key'))
  await clock.advance(60_000)
  expect(await source.current()).toBe(first)
  await writeFile(join(baseDir, 'ca.pem'), 'nonsense')
  expect(logs.map(({ level }) => level)).toEqual(['warn', 'warn'])
  await copyFile(`${fixtures}/ca.pem`, join(baseDir, 'ca.pem'))
  await use('server', ['key'])
  await clock.advance(60_000)
  expect((await source.current()).cert).toBe(await readFile(`${fixtures}/server.pem`, 'utf8'))
})

it('never looks where there are no files, and says which file is missing at the start', async () => {
  const context = { baseDir, clock, logger: collectingLogger(logs) }
  const source = await openTlsSource({ insecure_skip_verify: true }, context)
  const first = await source.current()
  await clock.advance(600_000)
  expect(await source.current()).toBe(first)
  await expect(openTlsSource({ ca_file: 'none.pem' }, context)).rejects.toThrow(/ca_file none\.pem: ENOENT/)
})

it('a sender shows its renewed certificate on new connections', async () => {
  const pem = (name: string): Promise<string> => readFile(`${fixtures}/${name}`, 'utf8')
  const server = createServer(
    {
      cert: await pem('server.pem'),
      key: await pem('server.key'),
      ca: await pem('ca.pem'),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN)
    },
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const tls = await openTlsSource(
    { ...MINE, server_name_override: 'localhost' },
    { baseDir, clock, logger: collectingLogger(logs) },
  )
  const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const sender = createHttpSender({ endpoint, clock, tls })
  const shown = async (): Promise<string> => {
    const answer = await sender.send({ body: '' }, AbortSignal.timeout(5_000))
    return answer.kind === 'ok' ? answer.body.toString() : answer.reason
  }
  expect(await shown()).toBe('client')
  await use('server')
  expect(await shown()).toBe('client')
  await clock.advance(60_000)
  expect(await Promise.all([shown(), shown()])).toEqual(['server', 'server'])
  await sender.close()
  expect(await shown()).toMatch(/cannot be reached/)
  server.closeAllConnections()
  server.close()
})
