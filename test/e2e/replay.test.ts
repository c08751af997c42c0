import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startCommand } from '../support/command.js'
import { shared, sharedTitle } from '../support/shared.js'
import { VictoriaLogsServer } from '../support/victorialogs-server.js'

// Each question is a process, and the machine may be busy.
vi.setConfig({ testTimeout: 120_000 })

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-replay-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Row {
  readonly rule_id: string
  readonly alert_pattern: string
  readonly alert_schema: string
}

interface Report {
  readonly records: number
  readonly rules: readonly {
    rule_id: string
    matched: number
    fired: number
    one_short: number
    told: object
  }[]
  readonly alerts: readonly { rule: string; key: string; fired_at: string; ended_at?: string }[]
  readonly exporters: { readonly [id: string]: object }
  readonly noisiest_keys: readonly { key: string; matched: number }[]
  readonly suggestions?: readonly object[]
  readonly differences?: readonly { kind: string; rule: string; fired_at: string; ended_at?: string }[]
}

function write(name: string, text: string | Uint8Array): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

function table(name: string, rows: readonly Row[]): string {
  const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`
  const lines = rows.map(({ rule_id, alert_pattern, alert_schema }) =>
    [alert_pattern, rule_id, 'error', alert_schema, rule_id].map(cell).join(','),
  )
  return write(name, `alert_pattern,normalized_message,severity,alert_schema,rule_id\n${lines.join('\n')}\n`)
}

function config(name: string, csv: string, more = ''): string {
  return write(
    name,
    `
receivers: {file_log: {include: [none.log]}}
processors: {stateful_alert: {lookup_table: {location: '${csv}'}${more}}}
exporters:
  webhook/oncall: {endpoint: 'http://127.0.0.1:9/', condition: 'attributes["alert"]["skip_webhook"] == false'}
service: {pipelines: {logs: {receivers: [file_log], processors: [stateful_alert], exporters: [webhook/oncall]}}}
`,
  )
}

async function replay(...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await startCommand(['replay', '--json', ...args]).finished
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return JSON.parse(stdout)
}

/** Of the lines of a set: which template each is of, and a pattern that an operator would write for it. */
function templatesOf(set: string): { readonly rows: Row[]; readonly counts: Map<string, number> } {
  const lines = parse(readFileSync(shared(`loghub/${set}/${set}_2k.log_structured.csv`) as string), {
    columns: true,
  }) as { EventId: string; EventTemplate: string; Content: string }[]
  const counts = new Map<string, number>()
  const patterns = new Map<string, string>()
  for (const { EventId, EventTemplate } of lines) {
    counts.set(EventId, (counts.get(EventId) ?? 0) + 1)
    const parts = EventTemplate.split('<*>').map(part => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    patterns.set(EventId, `${parts.join('.*')}\\s*$`)
  }
  const rows = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([id]) => ({ rule_id: id, alert_pattern: patterns.get(id) as string, alert_schema: 'immediate' }))
    // A template that is a part of another says nothing about how often its lines came.
    .filter(({ rule_id, alert_pattern }) => {
      const pattern = new RegExp(alert_pattern)
      return lines.every(({ EventId, Content }) => pattern.test(Content) === (EventId === rule_id))
    })
    .slice(0, 10)
  return { rows, counts }
}

for (const set of ['Apache', 'HDFS', 'Hadoop', 'Linux', 'OpenSSH', 'OpenStack']) {
  const log = shared(`loghub/${set}/${set}_2k.log`)
  test.skipIf(!log)(sharedTitle(`${set}: rows match as often as its csv says`, 'loghub'), async () => {
    const { rows, counts } = templatesOf(set)
    expect(rows.length).toBeGreaterThan(set === 'Apache' ? 2 : 7)
    const report = await replay(
      '-c',
      config(`${set}.yaml`, table(`${set}.csv`, rows), ', state_ttl: 100000h'),
      log as string,
    )
    expect(report.records).toBe(2_000)
    expect(report.rules.map(({ rule_id, matched, fired }) => [rule_id, matched, fired])).toEqual(
      rows.map(({ rule_id }) => [rule_id, counts.get(rule_id), 1]),
    )
    // One alert a row: none of them clears.
    expect(report.exporters).toEqual({ 'webhook/oncall': { notifications: rows.length } })
  })
}

/** What rows of `immediate,E` raise, by hand. */
function alertsOf(rows: readonly Row[], lines: readonly { text: string; ms: number }[]): string[] {
  const newest = Math.max(...lines.map(({ ms }) => ms))
  return rows.flatMap(({ rule_id, alert_pattern, alert_schema }) => {
    const expireMs = Number(alert_schema.split(',')[1]) * 1_000
    const alerts: string[] = []
    let until = Number.NEGATIVE_INFINITY
    for (const { text, ms } of lines) {
      if (!new RegExp(alert_pattern).test(text) || ms < until) continue
      until = ms + expireMs
      alerts.push(JSON.stringify([rule_id, ms, until <= newest ? until : undefined]))
    }
    return alerts
  })
}

const ssh = shared('loghub/OpenSSH/OpenSSH_2k.log')
test.skipIf(!ssh)(
  sharedTitle('--against names the alerts that a comparison by hand finds', 'loghub'),
  async () => {
    const lines = readFileSync(ssh as string, 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(text => ({ text, ms: Date.parse(`${text.slice(0, 15)} 2016 UTC`) }))
    const before: Row[] = [
      { rule_id: 'failed', alert_pattern: 'Failed password for', alert_schema: 'immediate,60' },
      { rule_id: 'invalid', alert_pattern: 'Invalid user', alert_schema: 'immediate,120' },
      { rule_id: 'break-in', alert_pattern: 'POSSIBLE BREAK-IN', alert_schema: 'immediate,300' },
    ]
    const after: Row[] = [
      { rule_id: 'failed', alert_pattern: 'Failed password for invalid', alert_schema: 'immediate,60' },
      { rule_id: 'invalid', alert_pattern: 'Invalid user', alert_schema: 'immediate,600' },
      { rule_id: 'closed', alert_pattern: 'Connection closed', alert_schema: 'immediate,60' },
    ]
    const old = alertsOf(before, lines)
    const next = alertsOf(after, lines)
    const began = (alerts: readonly string[]): string[] =>
      alerts.map(alert => JSON.stringify(JSON.parse(alert).slice(0, 2)))
    const changed = table('changed.csv', after)
    const yaml = config('ssh.yaml', table('ssh.csv', before))
    const { differences = [] } = await replay(
      '-c',
      yaml,
      '--year',
      '2016',
      '--against',
      changed,
      ssh as string,
    )
    const found = (kind: string): string[] =>
      differences
        .filter(one => one.kind === kind)
        .map(({ rule, fired_at }) => JSON.stringify([rule, Date.parse(fired_at)]))
        .sort()
    const [oldBegan, nextBegan] = [new Set(began(old)), new Set(began(next))]
    expect(found('added')).toEqual(
      began(next)
        .filter(alert => !oldBegan.has(alert))
        .sort(),
    )
    expect(found('removed')).toEqual(
      began(old)
        .filter(alert => !nextBegan.has(alert))
        .sort(),
    )
    const oldWhole = new Set(old)
    expect(found('changed')).toEqual(
      began(next.filter(alert => !oldWhole.has(alert)))
        .filter(alert => oldBegan.has(alert))
        .sort(),
    )
    for (const kind of ['added', 'removed', 'changed']) expect(found(kind).length, kind).toBeGreaterThan(0)
    const same = await replay('-c', yaml, '--against', yaml, ssh as string)
    expect(same.differences).toEqual([])
  },
)

describe('what is replayed', () => {
  const lines = (host: string, seconds: readonly number[]): string =>
    seconds.map(at => `2026-01-15T10:00:${String(at).padStart(2, '0')}Z ${host} disk is full\n`).join('')
  const rows = [{ rule_id: 'disk', alert_pattern: 'disk is full', alert_schema: 'threshold,3,10,1,60' }]

  test('files that overlap come in the order of their times, packed or not', async () => {
    const yaml = config('disk.yaml', table('disk.csv', rows))
    const first = write('a.log', lines('a', [0, 4, 30]))
    const second = write('b.log.gz', gzipSync(lines('b', [2, 31, 50])))
    const report = await replay('-c', yaml, second, first)
    expect(report.alerts.map(({ fired_at }) => fired_at)).toEqual(['2026-01-15T10:00:04Z'])
    expect(report.rules[0]).toMatchObject({ matched: 6, fired: 1, told: { 'webhook/oncall': 1 } })
  })

  test('standard input, and what was one record short of an alert', async () => {
    const yaml = config('short.yaml', table('short.csv', rows))
    const input = lines('a', [0, 4, 30, 31, 55])
    const { code, stdout } = await startCommand(['replay', '--json', '-c', yaml, '-'], { input }).finished
    expect(code).toBe(0)
    expect(JSON.parse(stdout).rules[0]).toMatchObject({ matched: 5, fired: 0, one_short: 2 })
  })

  test('OTLP JSON lines, whatever the receiver, by their hash keys', async () => {
    const record = (host: string, at: number): string =>
      JSON.stringify({
        resourceLogs: [
          {
            resource: { attributes: [{ key: 'host.name', value: { stringValue: host } }] },
            scopeLogs: [
              {
                logRecords: [
                  { timeUnixNano: `${1_768_471_200 + at}000000000`, body: { stringValue: 'disk is full' } },
                ],
              },
            ],
          },
        ],
      })
    const file = write('otlp.jsonl', ['a', 'b', 'a', 'a'].map((host, at) => record(host, at)).join('\n'))
    const yaml = config('otlp.yaml', table('otlp.csv', rows), ', hash_keys: [host.name]')
    const report = await replay('-c', yaml, file)
    expect(report.alerts).toEqual([
      { rule: 'disk', line: 2, key: 'host.name=a', fired_at: '2026-01-15T10:00:03Z' },
    ])
    expect(report.noisiest_keys.map(({ key, matched }) => [key, matched])).toEqual([
      ['host.name=a', 3],
      ['host.name=b', 1],
    ])
  })

  test('--suggest: a threshold that, put into the table, fires as often as it said', async () => {
    const second = (at: number): string =>
      new Date(Date.parse('2026-01-15T10:00:00Z') + at * 1_000).toISOString()
    // Two or three at a time, each half hour for a day, and one time thirty.
    const times = Array.from({ length: 48 }, (_, at) =>
      [0, 1, ...(at % 3 ? [] : [2])].map(one => at * 1_800 + one),
    )
    times[20] = Array.from({ length: 30 }, (_, one) => 20 * 1_800 + one)
    const log = write(
      'day.log',
      times
        .flat()
        .map(at => `${second(at)} a disk is full\n`)
        .join(''),
    )
    const always = [{ ...(rows[0] as Row), alert_schema: 'immediate,60' }]
    const args = ['--suggest', '-c', config('day.yaml', table('day.csv', always)), log]
    const { suggestions = [], rules } = await replay(...args)
    expect(rules[0]).toMatchObject({ fired: 48 })
    expect(suggestions).toEqual([
      {
        rule: 'disk',
        line: 2,
        count: 10,
        window_seconds: 60,
        fires: 1,
        bursts: 48,
        usual: 3,
        stand_out: [30, 30],
      },
    ])
    const next = [{ ...(rows[0] as Row), alert_schema: 'threshold,10,60,1,60,300' }]
    const { alerts } = await replay('-c', config('next.yaml', table('next.csv', next)), log)
    expect(alerts.map(({ fired_at }) => Date.parse(fired_at))).toEqual([Date.parse(second(20 * 1_800 + 9))])
    const { stdout } = await startCommand(['replay', ...args]).finished
    expect(stdout).toMatch(/disk +10 in 60 s +fires 1 +of 48 bursts, the usual ones have at most 3, .* 30\n/)
  })

  test('--html: a page without script, on which log text is text', async () => {
    const marked = [{ ...(rows[0] as Row), rule_id: '<b>disk</b>', alert_schema: 'immediate,60' }]
    const yaml = config('html.yaml', table('html.csv', marked), ', hash_keys: [host]')
    const log = write('html.log', lines('a', [0, 1, 30]))
    const file = join(folder, 'replay.html')
    await replay('-c', yaml, '--html', file, '--against', yaml, log)
    const html = readFileSync(file, 'utf8')
    expect(html).toContain("default-src 'none'")
    expect(html).not.toContain('<b>')
    expect(html).not.toContain('<script')
    expect(html).toContain('&#60;b&#62;disk')
    expect(html).toMatch(
      /<rect x="0" width="1000"[^>]*><title>2026-01-15T10:00:00Z, active at the end<\/title>/,
    )
    expect(html).toContain('It makes no difference to any alert.')
    const { code, stderr } = await startCommand(['replay', '-c', yaml, '--html', '/none/x.html', log])
      .finished
    expect([code, stderr]).toEqual([1, expect.stringContaining('--html /none/x.html cannot be written')])
  })

  test('--from: what VictoriaLogs has of a range, by the query of the receiver, in slices as small as it allows', async () => {
    const server = await VictoriaLogsServer.start()
    server.faults.maxRangeMs = 600_000
    try {
      const minutesAgo = (minutes: number): bigint => server.now() - BigInt(minutes) * 60_000_000_000n
      for (let minute = 90; minute > 0; minute--) {
        server.insert({ msg: 'disk is full', time: minutesAgo(minute), stream: { host: 'a' } })
        server.insert({ msg: 'quiet', time: minutesAgo(minute), stream: { host: 'a' } })
      }
      const file = table('vl.csv', [{ ...(rows[0] as Row), alert_schema: 'immediate,300' }])
      const yaml = config('vl.yaml', file, ', hash_keys: [host]')
      const tail = `victorialogs: {endpoint: '${server.url}', query: '"disk is full"'}`
      const over = write(
        'vl-source.yaml',
        readFileSync(yaml, 'utf8')
          .replaceAll('file_log: {include: [none.log]}', tail)
          .replace('[file_log]', '[victorialogs]'),
      )
      const report = await replay(
        '-c',
        over,
        '--from',
        '62m30s',
        '--to',
        new Date(Number(minutesAgo(2) / 1_000_000n) - 30_000).toISOString(),
      )
      expect(report.records).toBe(60)
      expect(report.rules[0]).toMatchObject({ matched: 60, fired: 12, told: { 'webhook/oncall': 23 } })
      expect(server.openTails).toBe(0)
      expect(report.noisiest_keys).toMatchObject([{ key: 'host=a', matched: 60 }])
    } finally {
      await server.down()
    }
  })

  test('a mistake says what to do', async () => {
    const yaml = config('wrong.yaml', table('wrong.csv', rows))
    const say = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await startCommand(['replay', '-c', yaml, ...args]).finished
      expect(code).toBe(1)
      return stderr
    }
    expect(await say()).toContain('Name log files')
    expect(await say('/none.log')).toContain('/none.log cannot be read')
    expect(await say('--from', 'yesterday')).toContain('2026-01-15T10:00:00Z')
    expect(await say('--receiver', 'x', '/dev/null')).toContain('there is file_log')
  })
})
