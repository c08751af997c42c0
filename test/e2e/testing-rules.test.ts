import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { httpDestination } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { cli } from '../support/cli.js'
import { startCommand } from '../support/command.js'
import { ROOT } from '../support/shared.js'
import { VictoriaLogsServer } from '../support/victorialogs-server.js'

/** What its commands must say, by what is in them. */
const SAYS: readonly (readonly [string, RegExp])[] = [
  ['--coverage', /\d of 4 rows fire/],
  ['tocsin test', /^\n?\d+ passed/m],
  ['app.log.1.gz', /Database Connection Failed +3 /],
  ['journalctl', /Database Connection Failed +1 /],
  ['--suggest', /Database Connection Failed/],
  ['--against', /Out of Memory Error/],
  ['--from 24h', /Out of Memory Error +1 /],
  ['--event-id', /webhook\/oncall: alert sent/],
  ['explain', /webhook\/oncall/],
]

test('the page on testing rules: each of its files is valid, each of its commands does what it says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-testing-rules-'))
  const destination = await httpDestination()
  const logs = await VictoriaLogsServer.start()
  try {
    // What a reader has: the files of the example, logs, a journal, a VictoriaLogs, and an alert.
    for (const name of ['collector.yaml', 'collector.csv'])
      cpSync(join(ROOT, 'distributions/stateful-alert/examples', name), join(folder, name))
    const write = (name: string, text: string | Uint8Array) => writeFileSync(join(folder, name), text)
    const lines = (day: number) =>
      `2026-01-${day}T10:00:00Z ERROR connection refused\n2026-01-${day}T10:05:00Z INFO connection established\n`
    write('app.log', `${lines(15)}2026-01-15T11:00:00Z ERROR connection refused\n`)
    write('app.log.1.gz', gzipSync(lines(14)))
    const table = readFileSync(join(folder, 'collector.csv'), 'utf8')
    write('new.csv', `${table}connection refused,,Out of Memory Error,critical,"immediate,60"\n`)
    mkdirSync(join(folder, 'bin'))
    const script = (name: string, body: string) =>
      writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
    script('journalctl', `echo '2026-01-15T10:00:00+0000 web-1 shop[1]: ERROR connection refused'`)
    logs.insert({
      msg: 'OOM killer killed 7',
      time: logs.now() - 3_600_000_000_000n,
      stream: { unit: 'ssh.service' },
    })
    const env = {
      PATH: `${folder}/bin:${process.env.PATH}`,
      HOME: folder,
      NO_COLOR: '1',
      ONCALL_URL: destination.url,
    }

    const page = readFileSync(join(ROOT, 'docs/testing-rules.md'), 'utf8').replace(
      'http://localhost:9428',
      logs.url,
    )
    const ran: string[] = []
    const files = ['collector.test.yaml', 'shop.yaml', 'ssh.yaml']
    for (const [, language, text = ''] of page.matchAll(/```(\w+)\n([\s\S]*?)```/g)) {
      if (language === 'yaml') {
        const [, name = ''] = /^# (\S+)\n/.exec(text) ?? []
        expect(files.shift()).toBe(name)
        write(name, text)
        continue
      }
      expect(language).toBe('sh')
      for (const command of text.trim().split('\n')) ran.push(command)
    }
    expect(files).toEqual([])

    const alerts = startCommand(['--config', 'shop.yaml', '--set', 'receivers.file_log.stop_at_end=true'], {
      cwd: folder,
      env,
    })
    expect((await alerts.finished).code).toBe(0)
    const [first] = destination.requests.map(({ body }) => JSON.parse(String(body)).alert.event_id as string)
    for (const written of ran) {
      const command = written.replace(/(?<=--event-id )\S+/, first as string)
      const { before, args } = partsOf(command)
      const input = before && execFileSync('sh', ['-c', before], { cwd: folder, env, encoding: 'utf8' })
      const { code, stdout, stderr } = await cli(args, { cwd: folder, env, ...(input && { input }) })
      expect(code, `${command}\n${stdout}${stderr}`).toBe(0)
      expect(stdout + stderr, command).toMatch(
        (SAYS.find(([part]) => command.includes(part)) as (typeof SAYS)[number])[1],
      )
    }
    expect(readFileSync(join(folder, 'report.xml'), 'utf8')).toContain(
      '<testsuite name="collector.test.yaml"',
    )
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('Database Connection Failed')
  } finally {
    await destination.close()
    await logs.down()
    rmSync(folder, { recursive: true, force: true })
  }
}, 120_000)

/** A command as a shell reads it: what is piped into it, and its arguments. */
function partsOf(command: string): { readonly before: string; readonly args: readonly string[] } {
  const [, before = '', words = ''] = /^(?:(.*) \| )?tocsin (.*)$/.exec(command) ?? []
  return {
    before,
    args: Array.from(words.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, bare]) => quoted ?? bare ?? ''),
  }
}
