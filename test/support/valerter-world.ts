import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import { type HttpDestination, httpDestination } from 'tocsin/testing'
import { afterEach } from 'vitest'
import { type Running, startCommand } from './command.js'
import { freePort } from './free-port.js'
import { ROOT } from './shared.js'
import { VictoriaLogsServer } from './victorialogs-server.js'

export const command = 'tocsin-valerter'
export const FIXTURES = join(ROOT, 'test/fixtures/valerter')

export interface World {
  readonly folder: string
  readonly config: string
  readonly server: VictoriaLogsServer
  readonly sink: HttpDestination
  readonly mails: { readonly to: string; readonly data: string }[]
  readonly metricsUrl: string
  readonly env: { readonly [name: string]: string }
}

/** What each test leaves behind; run last to first. */
export const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A Valerter directory with its ports, a server to tail, and destinations. */
export async function world(directory: string): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-valerter-'))
  ends.push(() => rm(folder, { recursive: true, force: true }))
  await cp(directory, join(folder, 'etc'), { recursive: true, mode: 0 })
  const server = await VictoriaLogsServer.start()
  ends.push(() => server.down())
  const sink = await httpDestination()
  ends.push(() => sink.close())
  const mails: World['mails'] = []
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 10,
    onData(stream, { envelope }, callback) {
      const chunks: Buffer[] = []
      stream.on('data', chunk => chunks.push(chunk))
      stream.on('end', () => {
        const data = Buffer.concat(chunks)
          .toString()
          .replace(/=\r\n/g, '')
          .replace(/=3D/g, '=')
          .replaceAll('&#x2f;', '/')
        mails.push({ to: envelope.rcptTo[0]?.address ?? '', data })
        callback()
      })
    },
  })
  await new Promise<void>(resolve => smtp.listen(0, '127.0.0.1', () => resolve()))
  ends.push(() => new Promise<void>(resolve => smtp.close(resolve)))
  const [metrics, mail] = [await freePort(), (smtp.server.address() as AddressInfo).port]
  for (const file of ['config.yaml', 'notifiers.d/more.yml', 'notifiers.d/more.yaml', 'rules.d/web.yaml']) {
    const path = join(folder, 'etc', file)
    const text = await readFile(path, 'utf8').catch(() => undefined)
    // The server of the tests knows words, phrases and fields.
    const asked = text
      ?.replace('_msg:"Out of memory"', '"Out of memory"')
      .replace('status:>=500', 'status:500')
    if (asked !== undefined)
      await rm(path).then(() =>
        writeFile(path, asked.replace('19090', String(metrics)).replace('11025', String(mail))),
      )
  }
  const env = {
    STATE_DIRECTORY: join(folder, 'state'),
    VL_URL: server.url,
    VICTORIALOGS_URL: server.url,
    VL_PASSWORD: 's3cret-vl',
    VL_PASS: 's3cret-vl',
    SINK: sink.url,
    HOOK_URL: `${sink.url}/hook`,
    MATTERMOST_WEBHOOK: `${sink.url}/chat`,
    TOKEN: 's3cret-token',
  }
  const metricsUrl = `http://127.0.0.1:${metrics}/metrics`
  return { folder, config: join(folder, 'etc/config.yaml'), server, sink, mails, metricsUrl, env }
}

export async function started(
  { config, env, server }: World,
  tails: number,
  more: readonly string[] = [],
): Promise<Running> {
  const running = startCommand(['-c', config, ...more], { command, env })
  ends.push(async () => {
    running.child.kill('SIGKILL')
    await running.finished
  })
  await until(
    () => server.openTails >= tails,
    () => JSON.stringify(running.output()),
  )
  return running
}

export function stopped(running: Running) {
  running.child.kill('SIGTERM')
  return running.finished
}

export async function until(
  holds: () => boolean | Promise<boolean>,
  context: () => unknown = () => '',
): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (await holds()) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`It did not come: ${String(context())}`)
}

export async function metrics(url: string): Promise<string> {
  return (await fetch(url)).text()
}

export function value(
  text: string,
  name: string,
  labels: { readonly [label: string]: string } = {},
): number | undefined {
  const line = text
    .split('\n')
    .find(
      one =>
        one.startsWith(`valerter_${name}`) &&
        /[ {]/.test(one[`valerter_${name}`.length] ?? '') &&
        Object.entries(labels).every(([label, of]) => one.includes(`${label}="${of}"`)),
    )
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1))
}

export const bodies = (sink: HttpDestination, path: string): { [key: string]: never }[] =>
  sink.requests.filter(request => request.path === path).map(({ body }) => JSON.parse(body))
