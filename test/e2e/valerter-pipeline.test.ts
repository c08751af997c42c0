import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination, VirtualClock } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { startCollector } from '../support/collector.js'
import { shared, sharedTitle } from '../support/shared.js'
import { VictoriaLogsServer } from '../support/victorialogs-server.js'

const LOG = shared('loghub/OpenSSH/OpenSSH_2k.log')
const CONFIG = shared('contract/valerter-pipeline.yaml')
const WINDOW_MS = 5 * 60_000
const MATCH = /Failed password for (?:invalid user )?(?<user>\S+) from (?<ip>\S+) port (?<port>\d+)/

test.skipIf(!LOG || !CONFIG)(
  sharedTitle('the Valerter pipeline of the contract tells of exactly what its lines imply', 'loghub'),
  async () => {
    const lines = (await readFile(LOG as string, 'utf8')).split('\n').filter(line => line !== '')
    // The collector, the server and the log share one clock, moved from line to line.
    const clock = new VirtualClock('2026-01-15T10:00:00Z')
    const firstMs = timeMs(lines[0] as string)
    const began = clock.now() + 60_000_000_000n
    const timeOf = (line: string, index: number): bigint =>
      // Microseconds keep lines of one second apart, in their order.
      began + BigInt(timeMs(line) - firstMs) * 1_000_000n + BigInt(index) * 1_000n
    const server = await VictoriaLogsServer.start({ now: () => clock.now(), seed: 7 })
    server.faults.chunkBytes = [1, 700]
    const sink = await httpDestination()
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
    const yaml = (await readFile(CONFIG as string, 'utf8'))
      .replace('address: 127.0.0.1:8888', 'address: 127.0.0.1:0')
      .replace('endpoint: 127.0.0.1:13133', 'endpoint: 127.0.0.1:0')
    const env = {
      VICTORIALOGS_URL: server.url,
      MATTERMOST_WEBHOOK: `${sink.url}/mattermost`,
      PAGER_URL: `${sink.url}/pager`,
      PAGER_TOKEN: 's3cret',
      TOCSIN_DATA: folder,
    }
    // Minutes pass on the clock while an attempt is under way.
    const patience = 'yaml:exporters: {mattermost/ops: {timeout: 10h}, webhook/pager: {timeout: 10h}}'
    const collector = await startCollector(yaml, { clock, env, overlays: [patience] })
    const connected = async (): Promise<void> => {
      while (server.openTails === 0) await pass(clock, 100)
    }
    await connected()

    const expected = throttled(lines.map((line, index) => ({ line, time: timeOf(line, index) })))
    let cutAt: bigint | undefined
    for (const [index, line] of lines.entries()) {
      const time = timeOf(line, index)
      // Some lines come while the tail is cut; an outage of more seconds than it looks back is another test's.
      if (cutAt !== undefined && time - cutAt > 3_000_000_000n) {
        await connected()
        cutAt = undefined
      }
      const waitMs = Number(time - clock.now()) / 1e6
      if (waitMs > 0) await pass(clock, waitMs)
      server.insert({ msg: line, time, stream: { app: 'sshd', host: 'LabSZ' } })
      if (index % 200 === 150) {
        cutAt = clock.now()
        server.cut(index % 400 === 150 ? 'reset' : 'end')
      }
    }
    const arrive = (path: string) => meanwhile(clock, sink.waitFor(expected.length, path))
    const pager = await arrive('/pager')
    const chat = await arrive('/mattermost')
    // What should not come would come now.
    await pass(clock, 120_000)
    const report = await meanwhile(clock, collector.stop())
    await server.down()
    await sink.close()
    await rm(folder, { recursive: true })

    expect(server.asked('tail')).toBeGreaterThan(5)
    expect(expected.length).toBeGreaterThan(50)
    expect(pager.map(request => JSON.parse(request.body))).toEqual(
      expected.map(({ user, ip, line }) => ({
        summary: `SSH login failed: ${user} from ${ip}`,
        source: ip,
        log: line,
      })),
    )
    expect(pager[0]?.headers.authorization).toBe('Bearer s3cret')
    expect(new Set(pager.map(request => request.headers['idempotency-key'])).size).toBe(expected.length)
    expect(chat.map(request => JSON.parse(request.body).attachments[0].text)).toEqual(
      expected.map(({ line }) => line),
    )
    expect(JSON.parse(chat[0]?.body ?? '{}')).toMatchObject({
      username: 'tocsin',
      attachments: [{ color: '#d32f2f', title: expect.stringMatching(/^SSH login failed: /) }],
    })
    expect(sink.requests).toHaveLength(2 * expected.length)
    expect(report).toMatchObject({ dropped: 0, deadLettered: 0, unsettled: 0 })
    expect(JSON.stringify(collector.logs)).not.toContain('s3cret')
  },
  240_000,
)

/** What a sliding window of three in five minutes a source address lets through, said as plainly as can be. */
function throttled(all: readonly { line: string; time: bigint }[]) {
  const passed = new Map<string, bigint[]>()
  return all.flatMap(({ line, time }) => {
    const { user, ip } = MATCH.exec(line)?.groups ?? {}
    if (user === undefined || ip === undefined) return []
    const recent = (passed.get(ip) ?? []).filter(earlier => time - earlier < BigInt(WINDOW_MS) * 1_000_000n)
    if (recent.length >= 3) return []
    passed.set(ip, [...recent, time])
    return [{ user, ip, line }]
  })
}

/** Lets time pass, and what real sockets do meanwhile. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5_000) {
    await clock.advance(Math.min(left, 5_000))
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}

async function meanwhile<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let done = false
  void work.finally(() => {
    done = true
  })
  while (!done) await pass(clock, 100)
  return work
}

function timeMs(line: string): number {
  return Date.parse(`2025 ${line.slice(0, 15)} UTC`)
}
