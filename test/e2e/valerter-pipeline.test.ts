import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startCollector } from '../support/collector.js'
import { httpSink } from '../support/http-sink.js'
import { scaledClock } from '../support/scaled-clock.js'
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
    // Four hours of log in some seconds; the collector, the server and the log share one clock.
    const clock = scaledClock(1_500)
    const firstMs = timeMs(lines[0] as string)
    const began = clock.now() + 60_000_000_000n
    const timeOf = (line: string, index: number): bigint =>
      // Microseconds keep lines of one second apart, in their order.
      began + BigInt(timeMs(line) - firstMs) * 1_000_000n + BigInt(index) * 1_000n
    const server = await VictoriaLogsServer.start({ now: () => clock.now(), seed: 7 })
    server.faults.chunkBytes = [1, 700]
    const sink = await httpSink()
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
    // An attempt of 10 s would be over in 7 ms of the scaled clock, and be repeated.
    const patience = 'yaml:exporters: {mattermost/ops: {timeout: 10h}, webhook/pager: {timeout: 10h}}'
    const collector = await startCollector(yaml, { clock, env, overlays: [patience] })
    while (server.openTails === 0) await new Promise(resolve => setTimeout(resolve, 5))

    const expected = throttled(lines.map((line, index) => ({ line, time: timeOf(line, index) })))
    for (const [index, line] of lines.entries()) {
      const waitMs = Number(timeOf(line, index) - clock.now()) / 1e6
      if (waitMs > 0) await clock.sleep(waitMs)
      server.insert({ msg: line, time: timeOf(line, index), stream: { app: 'sshd', host: 'LabSZ' } })
      if (index % 300 === 150) server.cut(index % 600 === 150 ? 'reset' : 'end')
    }
    const pager = await sink.waitFor(expected.length, '/pager')
    const chat = await sink.waitFor(expected.length, '/mattermost')
    // What should not come would come now.
    await clock.sleep(120_000)
    const report = await collector.stop()
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
  60_000,
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

function timeMs(line: string): number {
  return Date.parse(`2025 ${line.slice(0, 15)} UTC`)
}
