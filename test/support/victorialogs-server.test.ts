import { afterEach, describe, expect, it } from 'vitest'
import { parseLogsQl } from './logsql.js'
import { VictoriaLogsServer, type VictoriaLogsServerOptions } from './victorialogs-server.js'

const SECOND = 1_000_000_000n
const START = BigInt(Date.parse('2026-01-15T10:00:00Z')) * 1_000_000n

const open: VictoriaLogsServer[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.down()
})

async function serve(options: VictoriaLogsServerOptions = {}) {
  let now = START
  const server = await VictoriaLogsServer.start({ refreshMs: 2, ...options, now: () => now })
  open.push(server)
  return { server, pass: (seconds: number) => (now += BigInt(seconds) * SECOND) }
}

const ask = (server: VictoriaLogsServer, api: string, parameters: Record<string, string>) =>
  fetch(`${server.url}/select/logsql/${api}?${new URLSearchParams(parameters)}`, {
    headers: { 'accept-encoding': 'identity' },
  })

async function messages(response: Response): Promise<string[]> {
  const text = await response.text()
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line)._msg)
}

/** What a tail sends until `count` lines came. */
async function tailed(response: Response, count: number): Promise<string[]> {
  const found: string[] = []
  let rest = ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + Buffer.from(chunk).toString()).split('\n')
    rest = lines.pop() ?? ''
    found.push(...lines.map(line => JSON.parse(line)._msg))
    if (found.length >= count) break
  }
  return found
}

describe('LogsQL', () => {
  const fields = { _msg: 'Failed password for root', app: 'sshd', host: 'h1' }
  it.each([
    ['*', true],
    ['"Failed password"', true],
    ['"ailed password"', false],
    ['Fail*', true],
    ['password root', true],
    ['password AND NOT root', false],
    ['nothing OR root', true],
    ['-nothing app:sshd', true],
    ['(nothing or app:="sshd") !host:h2', true],
    ['{app="sshd",host="h1"}', true],
    ['{app="other"}', false],
    ['_msg:~"for \\\\w+$"', true],
    ['root | filter host:h2', true],
  ])('answers %s', (query, expected) => {
    expect(parseLogsQl(query).matches(fields)).toBe(expected)
  })

  it.each(['', '"open', '(a', 'a | nonsense', '_time:5m', 'a )', 'a | sort by (host)'])(
    'refuses %j',
    query => {
      expect(() => parseLogsQl(query)).toThrow(/cannot parse query/)
    },
  )
})

describe('query', () => {
  it('has [start, end), in no order unless asked, limited', async () => {
    const { server } = await serve()
    for (let index = 0; index < 10; index++)
      server.insert({ msg: `m${index}`, time: START + BigInt(index) * SECOND })
    const range = { start: '2026-01-15T10:00:02Z', end: '2026-01-15T10:00:08Z' }
    const all = await messages(await ask(server, 'query', { query: '*', ...range }))
    expect([...all].sort()).toEqual(['m2', 'm3', 'm4', 'm5', 'm6', 'm7'])
    expect(all).not.toEqual([...all].sort())
    const sorted = { query: '* | sort by (_time) desc | limit 2', ...range }
    expect(await messages(await ask(server, 'query', sorted))).toEqual(['m7', 'm6'])
    server.faults.inclusiveEnd = true
    expect(await messages(await ask(server, 'query', { query: 'm8', ...range }))).toEqual(['m8'])
  })

  it('answers 400 with a text for a bad query', async () => {
    const { server } = await serve()
    const response = await ask(server, 'query', { query: '"' })
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining('cannot parse query'),
    ])
  })
})

describe('tail', () => {
  it('refuses pipes that cannot be tailed, and a start_offset of 0', async () => {
    const { server } = await serve()
    for (const parameters of [{ query: '* | stats count()' }, { query: '* | sort by (_time)' }]) {
      expect((await ask(server, 'tail', parameters)).status).toBe(400)
    }
    expect((await ask(server, 'tail', { query: '*', start_offset: '0' })).status).toBe(400)
  })

  it('starts start_offset ago and goes on live', async () => {
    const { server, pass } = await serve()
    server.insert({ msg: 'old', time: START })
    pass(60)
    server.insert({ msg: 'recent', time: START + 57n * SECOND })
    const response = await ask(server, 'tail', { query: '*' })
    const far = await ask(server, 'tail', { query: '*', start_offset: '2m' })
    server.insert({ msg: 'live', time: START + 60n * SECOND })
    expect(await tailed(response, 2)).toEqual(['recent', 'live'])
    expect(await tailed(far, 3)).toEqual(['old', 'recent', 'live'])
  })

  it('skips, by time, what VictoriaLogs skips', async () => {
    const { server, pass } = await serve({ tail: 'by_time' })
    const response = await ask(server, 'tail', { query: '*', offset: '1ms' })
    pass(1)
    const a = { app: 'a' }
    server.insert({ msg: 'first', time: START, stream: a })
    await new Promise(resolve => setTimeout(resolve, 20))
    server.insert({ msg: 'same time, same stream', time: START, stream: a })
    server.insert({ msg: 'same time, other stream', time: START, stream: { app: 'b' } })
    await new Promise(resolve => setTimeout(resolve, 20))
    pass(30)
    await new Promise(resolve => setTimeout(resolve, 20))
    server.insert({ msg: 'late', time: START + 1n, stream: a })
    server.insert({ msg: 'in time', time: START + 29n * SECOND, stream: a })
    expect(await tailed(response, 3)).toEqual(['first', 'same time, other stream', 'in time'])
  })

  it('holds its headers back when it compresses', async () => {
    const { server } = await serve()
    let answered = false
    const asking = fetch(`${server.url}/select/logsql/tail?query=*`, {
      headers: { 'accept-encoding': 'gzip' },
    })
    void asking.then(() => {
      answered = true
    })
    await expect.poll(() => server.openTails).toBe(1)
    await new Promise(resolve => setTimeout(resolve, 40))
    expect(answered).toBe(false)
    server.insert({ msg: 'now', time: START })
    expect(await tailed(await asking, 1)).toEqual(['now'])
  })
})
