import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type AnyValue, createRecord, isMap, type LogRecord, NO_RESOURCE, newMap } from 'tocsin/component'
import { httpDestination, VirtualClock } from 'tocsin/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Collector, startCollector } from '../support/collector.js'
import { type Push, pushAndKeep } from '../support/push.js'
import { shared, sharedTitle } from '../support/shared.js'

const HEADER = 'alert_pattern,recovery_pattern,normalized_message,severity,alert_schema'
const START = 1_768_471_200_000_000_000n

let folder = ''
let clock = new VirtualClock(START)
let push = pushAndKeep()
let collector: Collector | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-alert-'))
  clock = new VirtualClock(START)
  push = pushAndKeep()
})
afterEach(async () => {
  if (collector) await stop(collector)
  collector = undefined
  await rm(folder, { recursive: true, force: true })
})

async function stop(running: Collector): Promise<void> {
  const stopped = running.stop()
  await clock.advance(1_000)
  await stopped
}

/** `processor`: the options of stateful_alert, as a YAML flow map. */
function yaml(processor: string, more = ''): string {
  return `
receivers: {push: {}}
processors: {stateful_alert: ${processor}}
exporters: {keep: {}}
extensions: {file_storage: {directory: ./data}}
service:
  extensions: [${processor.includes('storage:') ? 'file_storage' : ''}]
  pipelines: {logs: {receivers: [push], processors: [stateful_alert], exporters: [keep]}}
${more}`
}

async function start(processor: string): Promise<Collector> {
  collector = await startCollector(yaml(processor), { components: push.components, folder, clock })
  return collector
}

function table(...rows: string[]): Promise<void> {
  return writeFile(join(folder, 'alerts.csv'), `${[HEADER, ...rows].join('\n')}\n`)
}

const TABLE = '{lookup_table: {location: alerts.csv}}'

let serial = 0

/** A log line so many seconds after the start. */
function line(
  body: AnyValue,
  seconds: number,
  resource: { readonly [name: string]: string } = {},
  attributes: { readonly [name: string]: AnyValue } = {},
): LogRecord {
  return createRecord({
    id: `line-${serial++}`,
    timestamp: START + BigInt(Math.round(seconds * 1000)) * 1_000_000n,
    severityNumber: 9,
    body,
    attributes: newMap(Object.entries(attributes)),
    resource: { ...NO_RESOURCE, attributes: newMap(Object.entries(resource)) },
  })
}

function alertOf(record: LogRecord | undefined): { readonly [key: string]: AnyValue } {
  const alert = record?.attributes.alert
  return isMap(alert) ? alert : {}
}

const statuses = (from: Push) => from.kept.map(record => alertOf(record).status ?? '-')

/** Offers each line as a batch of its own. */
async function feed(...records: LogRecord[]): Promise<void> {
  for (const record of records) await push.offer([record])
}

describe('the four examples of the documentation', () => {
  test('basic error alerting', async () => {
    await table(
      'FATAL.*exception,,Fatal Exception Detected,critical,immediate',
      'ERROR.*database.*down,database.*connected,Database Down,critical,immediate',
    )
    const { logs } = await start(TABLE)
    await feed(
      line('INFO all is well', 0),
      line('FATAL unhandled exception in main', 1),
      line('FATAL another exception', 2),
      line('ERROR the database is down', 3),
      line('ERROR the database is still down', 4),
      line('database db-1 connected', 5),
      line('database db-1 connected', 6),
      line('ERROR database down again', 7),
    )
    expect(statuses(push)).toEqual([
      '-',
      'alert',
      'alert_duplicate',
      'alert',
      'alert_duplicate',
      'recovery',
      'recovery_duplicate',
      'alert',
    ])
    expect(push.kept[0]?.attributes).toEqual(newMap())
    const { event_id, alert_key, ...alert } = alertOf(push.kept[3])
    expect(alert).toEqual({
      status: 'alert',
      severity: 'critical',
      normalized_message: 'Database Down',
      pattern_matched: 'ERROR.*database.*down',
      skip_webhook: false,
      first_occurrence: '2026-01-15T10:00:03Z',
    })
    expect(alertOf(push.kept[5])).toEqual(
      newMap([
        ['status', 'recovery'],
        ['severity', 'critical'],
        ['normalized_message', 'Database Down'],
        ['pattern_matched', 'database.*connected'],
        ['skip_webhook', false],
        ['first_occurrence', '2026-01-15T10:00:03Z'],
        ['duplicate_count', 1n],
        ['recovery_reason', 'pattern'],
        ['event_id', event_id ?? null],
        ['alert_key', alert_key ?? null],
      ]),
    )
    expect(alertOf(push.kept[6])).not.toHaveProperty('event_id')
    expect(alertOf(push.kept[7]).event_id).not.toBe(event_id)
    expect(push.kept.map(({ severityNumber }) => severityNumber)).toEqual(Array(8).fill(9))
    expect(logs.map(({ message }) => message).filter(text => text.includes('alerts.csv:'))).toMatchObject([
      expect.stringContaining('alerts.csv:2: recovery_pattern: warning: the alert can never clear'),
    ])
  })

  test('rate-based alerting: the fifth within 60 s alerts; without a recovery pattern nothing recovers', async () => {
    await table('ERROR.*rate limit exceeded,,Rate Limit Exceeded,warning,"threshold,5,60,1,300"')
    const { logs } = await start(TABLE)
    const hit = (seconds: number) => line('ERROR rate limit exceeded for /api', seconds)
    await feed(hit(0), hit(15), hit(30), hit(45), hit(60), hit(61), line('request succeeded', 62), hit(63))
    expect(statuses(push)).toEqual([
      ...Array(4).fill('alert_accumulating'),
      'alert',
      'alert_duplicate',
      '-',
      'alert_duplicate',
    ])
    expect(alertOf(push.kept[4])).toMatchObject({
      accumulating_count: 5n,
      first_occurrence: '2026-01-15T10:00:00Z',
    })
    expect(push.kept.map(record => alertOf(record).skip_webhook)).toEqual([
      ...[true, true, true, true, false, true],
      undefined,
      true,
    ])
    expect(logs.some(({ message }) => message.includes('M and W do nothing without one'))).toBe(true)
  })

  test('multi-field correlation: host-1/api-service leaves host-2/api-service alone', async () => {
    await table('ERROR,OK,It broke,critical,immediate')
    await start('{lookup_table: {location: alerts.csv}, hash_keys: [host.name, service.name]}')
    const on = (host: string, service: string) => ({ 'host.name': host, 'service.name': service })
    await feed(
      line('ERROR a', 0, on('host-1', 'api-service')),
      line('ERROR a', 1, on('host-2', 'api-service')),
      line('ERROR a', 2, on('host-1', 'api-service')),
      line('OK', 3, on('host-2', 'api-service')),
      line('ERROR a', 4, on('host-1', 'api-service')),
      // Not in the resource: the record's own attributes count.
      line('ERROR a', 5, {}, on('host-1', 'api-service')),
      line('ERROR a', 6, { 'host.name': 'host-1' }),
      line('ERROR a', 7, on('host-1,api-service', '')),
    )
    expect(statuses(push)).toEqual([
      'alert',
      'alert',
      'alert_duplicate',
      'recovery',
      'alert_duplicate',
      'alert_duplicate',
      'alert',
      'alert',
    ])
    expect(new Set(push.kept.map(record => alertOf(record).alert_key)).size).toBe(4)
  })

  test('webhook with the condition: alerts and recoveries are sent, what has no alert is not', async () => {
    await table('ERROR,OK,Database Connection Failed,critical,"threshold,2,60,1,60"')
    const sink = await httpDestination()
    const config = `
receivers: {push: {}}
processors: {stateful_alert: {lookup_table: {location: alerts.csv}, hash_keys: [host.name]}}
exporters:
  keep: {}
  webhook/oncall:
    endpoint: ${sink.url}
    condition: 'attributes["alert"]["skip_webhook"] == false'
service: {pipelines: {logs: {receivers: [push], processors: [stateful_alert], exporters: [webhook/oncall, keep]}}}
`
    const running = await startCollector(config, { components: push.components, folder })
    const host = { 'host.name': 'host-1' }
    await push.offer([
      line('no alert at all', 0, host),
      line('ERROR 1', 1, host),
      line('ERROR 2', 2, host),
      line('ERROR 3', 3, host),
      line('OK', 722, host),
      line('OK', 723, host),
    ])
    const requests = (await sink.waitFor(2)).map(({ body }) => JSON.parse(body))
    await running.stop()
    await sink.close()
    expect(sink.accepted).toHaveLength(2)
    expect(requests.map(({ title }) => title)).toEqual([
      '[CRITICAL] Database Connection Failed (host-1)',
      '[RECOVERED after 12m 1s] Database Connection Failed (host-1)',
    ])
    expect(requests.map(({ alert }) => alert.status)).toEqual(['alert', 'recovery'])
    expect(requests[0].event_id).toBe(requests[1].event_id)
    expect(push.kept).toHaveLength(6)
  })
})

describe('matching', () => {
  test('every mode, apart for alert and recovery, and per row', async () => {
    const row = (alert: string, mode: string) =>
      `{alert_pattern: '${alert}', recovery_pattern: ok, normalized_message: ${mode}, severity: info, alert_schema: immediate, match_mode: ${mode}}`
    const modes = ['regex', 'exact', 'contain', 'prefix', 'suffix']
    await start(
      `{recovery_match_mode: exact, patterns: [${modes.map(mode => row(`x.${mode}`, mode)).join(', ')}]}`,
    )
    const bodies = [
      'xxregex!',
      'x.exact',
      '(x.contain)',
      'x.prefix...',
      '...x.suffix',
      'x.exact ',
      'not x.prefix',
    ]
    await feed(...bodies.map((body, at) => line(body, at)), line('all ok', 8))
    expect(push.kept.map(record => alertOf(record).normalized_message ?? '-')).toEqual([
      ...modes,
      '-',
      '-',
      '-',
    ])
    await feed(line('ok', 9))
    expect(push.kept.slice(8).map(record => alertOf(record).normalized_message)).toEqual(modes)
    expect(new Set(push.kept.slice(8).map(({ id }) => id)).size).toBe(5)
  })

  test('match_field, other bodies as JSON, ignore_case', async () => {
    await start(
      `{match_mode: contain, ignore_case: true, patterns: [{alert_pattern: '"code":5', recovery_pattern: ok, normalized_message: N, severity: info, alert_schema: immediate}]}`,
    )
    await feed(line(newMap([['CODE', 500n]]), 0), line('All OK', 1))
    expect(statuses(push)).toEqual(['alert', 'recovery'])

    await stop(collector as Collector)
    push = pushAndKeep()
    await start(
      `{match_field: 'attributes["message"]', patterns: [{alert_pattern: '.*', normalized_message: N, severity: info, alert_schema: 'immediate,9'}]}`,
    )
    await feed(line('anything', 0), line('anything', 1, {}, { message: 'x' }))
    expect(statuses(push)).toEqual(['-', 'alert'])
  })

  test('several rows: the first notifying outcome is on the record, further ones are copies', async () => {
    await table(
      'ERROR,,Slow burn,info,"threshold,9,60,1,60"',
      'ERROR db,,Database,critical,"immediate,60"',
      'db.*refused,,Refused,error,"immediate,60"',
      'later,ERROR,Recovers,info,immediate',
    )
    await start(TABLE)
    await feed(line('later', 0), line('ERROR db refused', 1))
    const outcomes = push.kept.map(record => [alertOf(record).normalized_message, alertOf(record).status])
    expect(outcomes).toEqual([
      ['Recovers', 'alert'],
      ['Database', 'alert'],
      ['Refused', 'alert'],
      ['Recovers', 'recovery'],
    ])
    expect(new Set(push.kept.map(({ id }) => id)).size).toBe(4)
    expect(push.kept.map(({ body }) => body)).toEqual(['later', ...Array(3).fill('ERROR db refused')])
    await feed(line('ERROR db refused', 2))
    expect(push.kept).toHaveLength(5)
    expect(alertOf(push.kept[4])).toMatchObject({
      normalized_message: 'Slow burn',
      status: 'alert_accumulating',
    })
  })

  test('alert_match: first stops at the first row whose alert pattern matches', async () => {
    await table(
      'nothing,ERROR,Recovered,info,immediate',
      'ERROR,,First,info,immediate',
      'db,,Second,info,immediate',
    )
    await start('{lookup_table: {location: alerts.csv}, alert_match: first}')
    await feed(line('ERROR db', 0), line('db', 1))
    expect(push.kept.map(record => [alertOf(record).normalized_message, alertOf(record).status])).toEqual([
      ['First', 'alert'],
      ['Second', 'alert'],
    ])
  })

  test('a row whose both patterns match counts as an alert; a cut text says so', async () => {
    await table('ERROR,E,It broke,info,immediate')
    await start(TABLE)
    await feed(line(`ERROR ${'x'.repeat(20_000)}`, 0))
    expect(alertOf(push.kept[0])).toMatchObject({ status: 'alert', matched_text_cut: true })
  })
})

describe('timers', () => {
  test('an alert expires without another log line, with a record of its own', async () => {
    await table('OOM.*killed,,Out of Memory Error,critical,"immediate,60"')
    await start('{lookup_table: {location: alerts.csv}, hash_keys: [host.name, \'attributes["pod"]\']}')
    await feed(line('OOM killed x', 0, { 'host.name': 'host-1' }, { pod: 'p-7', other: 'no' }))
    push.watermark = START + 59_000_000_000n
    await clock.advance(2_000)
    expect(push.kept).toHaveLength(1)
    push.watermark = START + 61_000_000_000n
    await clock.advance(60_000)
    const record = push.kept[1]
    expect(record).toMatchObject({
      body: 'Out of Memory Error',
      timestamp: START + 60_000_000_000n,
      severityNumber: 18,
      severityText: 'critical',
      resource: { attributes: { 'host.name': 'host-1' } },
    })
    expect(Object.keys(record?.attributes ?? {})).toEqual(['pod', 'alert'])
    expect(alertOf(record)).toMatchObject({
      status: 'recovery',
      recovery_reason: 'auto_expire',
      skip_webhook: false,
      event_id: alertOf(push.kept[0]).event_id,
      pattern_matched: 'OOM.*killed',
      duplicate_count: 0n,
    })
  })

  test('expiry goes on after a restart', async () => {
    await table('OOM,,Out of Memory Error,critical,"immediate,60"')
    const processor = '{lookup_table: {location: alerts.csv}, storage: file_storage}'
    await start(processor)
    await feed(line('OOM', 0))
    await stop(collector as Collector)
    push.watermark = START + 90_000_000_000n
    const running = await start(processor)
    await clock.advance(90_000)
    // The storage is a real one.
    await settle(async () => push.kept.length, 2)
    expect(statuses(push)).toEqual(['alert', 'recovery'])
    expect(await running.metric('tocsin_stateful_alert_active')).toBe(0)
  })

  test('a scan that removed stale state says so in one record', async () => {
    await table('ERROR,OK,It broke,critical,"threshold,2,60,1,60"')
    const running = await start(
      '{lookup_table: {location: alerts.csv}, state_ttl: 5m, hash_keys: [host.name]}',
    )
    for (const host of ['a', 'b', 'c']) await feed(line('ERROR', 0, { 'host.name': host }))
    await feed(line('ERROR', 1, { 'host.name': 'a' }))
    expect(await running.metric('tocsin_stateful_alert_active', 'severity="critical"')).toBe(1)
    push.watermark = START + 400_000_000_000n
    await clock.advance(400_000)
    const scans = push.kept.slice(4)
    expect(scans.map(record => alertOf(record).removed_count)).toEqual([2n, 1n])
    expect(alertOf(scans[1])).toMatchObject({
      status: 'heartbeat_scan',
      skip_webhook: true,
      removed_active_count: 1n,
    })
    expect(await running.metric('tocsin_stateful_alert_active')).toBe(0)
  })
})

test('a scan makes one record, however many keys it removed', async () => {
  await table('ERROR,OK,It broke,critical,"threshold,2,60,1,60"')
  await start('{lookup_table: {location: alerts.csv}, state_ttl: 5m, hash_keys: [host.name]}')
  for (const times of [1, 2]) {
    const hosts = Array.from({ length: 1_200 / times }, (_, host) => `${host}`)
    await feed(...hosts.map(host => line('ERROR', 0, { 'host.name': host })))
  }
  push.watermark = START + 400_000_000_000n
  await clock.advance(400_000)
  expect(push.kept.slice(1_800).map(alertOf)).toMatchObject([
    { status: 'heartbeat_scan', removed_count: 1_200n, removed_active_count: 600n },
  ])
})

describe('the table', () => {
  test('is reloaded when it changes; alerts survive; a bad one keeps the old', async () => {
    await table('ERROR,OK,It broke,critical,immediate')
    const running = await start('{lookup_table: {location: alerts.csv, reload_period: 1m}}')
    await feed(line('ERROR', 0))
    await table('ERROR,OK,It broke badly,warning,immediate', 'WARN,,Careful,info,"immediate,9"')
    await clock.advance(60_000)
    await settle(() => running.metric('tocsin_stateful_alert_rows', 'result="loaded"'), 2)
    await feed(line('ERROR', 61), line('WARN', 62))
    expect(alertOf(push.kept[1])).toMatchObject({
      status: 'alert_duplicate',
      normalized_message: 'It broke badly',
      severity: 'warning',
      event_id: alertOf(push.kept[0]).event_id,
    })
    expect(alertOf(push.kept[2]).status).toBe('alert')

    await table('(,OK,Bad,critical,immediate')
    await clock.advance(60_000)
    await settle(async () => running.logs.filter(({ level }) => level === 'warn').length, 1)
    const warning = running.logs.find(({ message }) => message.includes('could not be reloaded'))
    expect(warning?.attributes.reason).toContain('alerts.csv:2: alert_pattern: a group has no closing )')
    await feed(line('OK', 130))
    expect(statuses(push).at(-1)).toBe('recovery')
  })

  test.each([
    ['one load after the other', 'reload_period: 1m'],
    ['a reload of the configuration', 'reload_period: 0'],
  ])('a row that is gone for two loads closes its alerts: %s', async (how, period) => {
    await table('ERROR,OK,It broke,critical,immediate', 'WARN,,Careful,info,"immediate,9999"')
    const processor = `{lookup_table: {location: alerts.csv, ${period}}, hash_keys: [host.name]}`
    const running = await start(processor)
    await feed(
      line('ERROR', 0, { 'host.name': 'a' }),
      line('ERROR', 0, { 'host.name': 'b' }),
      line('WARN', 0),
    )
    await table('WARN,,Careful,info,"immediate,9999"')
    const lastReload = () => running.metric('tocsin_stateful_alert_last_reload_timestamp_seconds')
    const load = async () => {
      const before = await lastReload()
      if (how.startsWith('one')) {
        await clock.advance(60_000)
        await settle(lastReload, before + 1)
      } else {
        const reloaded = running.reload(yaml(processor))
        await clock.advance(1_000)
        expect(await reloaded).toBe(true)
      }
      for (let turn = 0; turn < 5; turn++) await clock.advance(1_000)
    }
    await load()
    expect(push.kept).toHaveLength(3)
    await load()
    const recoveries = push.kept.slice(3)
    expect(recoveries.map(record => alertOf(record))).toMatchObject([
      { status: 'recovery', recovery_reason: 'rule_removed', normalized_message: 'It broke' },
      { status: 'recovery', recovery_reason: 'rule_removed', normalized_message: 'It broke' },
    ])
    expect(recoveries.map(({ resource }) => resource.attributes['host.name']).sort()).toEqual(['a', 'b'])
    await load()
    expect(push.kept).toHaveLength(5)
  })

  test('a reload of the configuration with a bad table keeps the old one too', async () => {
    await table('ERROR,OK,It broke,critical,immediate')
    const running = await start(TABLE)
    await feed(line('ERROR', 0))
    for (const spoil of [
      () => table('(,OK,Bad,critical,immediate'),
      () => writeFile(join(folder, 'alerts.csv'), 'pattern\n'),
      () => rm(join(folder, 'alerts.csv')),
    ]) {
      await spoil()
      const reloaded = running.reload(yaml(TABLE))
      await clock.advance(1_000)
      expect(await reloaded).toBe(true)
      await feed(line('ERROR', 1))
      expect(statuses(push).at(-1)).toBe('alert_duplicate')
    }
    const kept = running.logs.filter(({ message }) => message.includes('the last good one stays in force'))
    expect(kept.map(({ attributes }) => `${attributes.reason}`)).toMatchObject([
      expect.stringContaining('alerts.csv:2: alert_pattern'),
      expect.stringContaining('alerts.csv:1: alert_pattern: the table has no column'),
      expect.stringContaining('ENOENT'),
    ])
  })

  test('a start without a good row, column or file says why', async () => {
    const fails = async () => String(await start(TABLE).catch(error => error.message))
    await table('(,OK,Bad,critical,immediate', 'x,OK,Bad,critical,never')
    expect(await fails()).toMatch(/alerts\.csv:2: alert_pattern: .*\n.*alerts\.csv:3: alert_schema: /)
    await writeFile(join(folder, 'alerts.csv'), 'pattern,severity\n')
    expect(await fails()).toMatch(/alerts\.csv:1: alert_pattern: the table has no column "alert_pattern"/)
    await table()
    expect(await fails()).toMatch(/alerts\.csv:1: the table has no rows/)
    await rm(join(folder, 'alerts.csv'))
    expect(await fails()).toMatch(/The lookup table .*alerts\.csv cannot be read: ENOENT/)
    await writeFile(join(folder, 'alerts.csv'), Buffer.from([0x61, 0xff, 0x0a]))
    expect(await fails()).toMatch(/not UTF-8/)
  })

  test('may be compressed', async () => {
    await writeFile(
      join(folder, 'alerts.csv.gz'),
      gzipSync(`${HEADER}\nERROR,OK,It broke,critical,immediate\n`),
    )
    await start('{lookup_table: {location: alerts.csv.gz}}')
    await feed(line('ERROR', 0))
    expect(statuses(push)).toEqual(['alert'])
  })

  test('of more than 64 MiB, unpacked, is refused', async () => {
    await writeFile(join(folder, 'alerts.csv.gz'), gzipSync(Buffer.alloc(64 * 1024 * 1024 + 1), { level: 1 }))
    await expect(start('{lookup_table: {location: alerts.csv.gz}}')).rejects.toThrow('has more than 64 MiB')
  })

  test('comes from a URL, with its ETag; the last good copy serves when it is away', async () => {
    const rows = ['ERROR,OK,It broke,critical,immediate']
    const seen: (string | undefined)[] = []
    const server = createServer((request, response) => {
      seen.push(request.headers['if-none-match'])
      const etag = `"${rows.length}"`
      if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end()
      response.writeHead(200, { etag }).end(`${[HEADER, ...rows].join('\n')}\n`)
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const url = `http://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}/alerts.csv`
    const processor = `{lookup_table: {location: '${url}', reload_period: 1m}, storage: file_storage}`
    const running = await start(processor)
    await feed(line('ERROR', 0))
    await clock.advance(60_000)
    await settle(async () => seen.length, 2)
    rows.push('WARN,OK,Careful,info,immediate')
    await clock.advance(60_000)
    await settle(() => running.metric('tocsin_stateful_alert_rows', 'result="loaded"'), 2)
    expect(seen).toEqual([undefined, '"1"', '"1"'])
    await stop(running)
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))

    const again = await start(processor)
    await feed(line('WARN', 130), line('ERROR', 131))
    expect(statuses(push)).toEqual(['alert', 'alert', 'alert_duplicate'])
    const texts = again.logs.map(({ message, attributes }) => `${message} ${JSON.stringify(attributes)}`)
    expect(texts.some(text => text.includes('the last good one stays in force'))).toBe(true)
    expect(texts.join()).not.toContain('secret')
  })

  test('a URL that answers slowly holds a start 10 s: the last table serves, or it fails', async () => {
    let slow = false
    let asked = 0
    const server = createServer((_, response) => {
      asked++
      response.write(`${HEADER}\nERROR,OK,It broke,critical,immediate\n`)
      if (!slow) response.end()
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts.csv`
    const table = `{lookup_table: {location: '${url}', reload_period: 1m}, storage: file_storage}`
    try {
      await stop(await start(table))
      slow = true
      const starting = start(table)
      await late(starting, () => asked > 1)
      const again = await starting
      const texts = again.logs.map(({ message, attributes }) => `${message} ${JSON.stringify(attributes)}`)
      expect(texts.join()).toContain('the last good one stays in force')
      expect(texts.join()).toContain('no whole answer came within 10 s')
      await stop(again)
      const failing = start(`{lookup_table: {location: '${url}?other'}}`)
      const failed = expect(failing).rejects.toThrow('no whole answer came within 10 s')
      await late(failing, () => asked > 2)
      await failed
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  /** Lets 10 s go by, and no more, from when the server was asked until the start is over. */
  async function late(starting: Promise<unknown>, asked: () => boolean): Promise<void> {
    let over = false
    const done = (): void => {
      over = true
    }
    starting.then(done, done)
    for (let seconds = 0; !over; ) {
      await new Promise(resolve => setTimeout(resolve, 10))
      if (asked() && seconds++ < 10) await clock.advance(1_000)
    }
  }

  test.each([304, 500, 302])('a URL that answers %i at the first start fails it', async status => {
    const server = createServer((_, response) => response.writeHead(status).end()).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts.csv`
      await expect(start(`{lookup_table: {location: '${url}'}}`)).rejects.toThrow(`answered ${status}`)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

describe('replay', () => {
  const ssh = shared('loghub/OpenSSH/OpenSSH_2k.log')
  const contract = shared('contract/replay-ssh.yaml')
  test.skipIf(!ssh || !contract)(
    sharedTitle(
      'replay-ssh.yaml: one alert, 519 duplicates, 1,480 lines untouched',
      'contract/replay-ssh.yaml',
    ),
    async () => {
      const out = join(folder, 'out.jsonl')
      const running = await startCollector(await readFile(contract as string, 'utf8'), {
        folder,
        env: { LOG_FILE: ssh as string, OUT_FILE: out },
      })
      await running.ended
      await expect
        .poll(() => running.metric('tocsin_stateful_alert_transitions_total', 'status="alert_duplicate"'))
        .toBe(519)
      await running.stop()
      const records = (await readFile(out, 'utf8'))
        .trim()
        .split('\n')
        .flatMap(text => JSON.parse(text).resourceLogs)
        .flatMap(resource => resource.scopeLogs)
        .flatMap(scope => scope.logRecords)
      const found = new Map<string, number>()
      for (const { attributes = [], body } of records) {
        const alert = attributes.find(({ key }: { key: string }) => key === 'alert')?.value.kvlistValue.values
        const status = alert?.find(({ key }: { key: string }) => key === 'status').value.stringValue ?? '-'
        expect(status !== '-').toBe(body.stringValue.includes('Failed password for'))
        found.set(status, (found.get(status) ?? 0) + 1)
      }
      expect(Object.fromEntries(found)).toEqual({ '-': 1480, alert: 1, alert_duplicate: 519 })
    },
  )
})

/** Files and sockets are real, whatever the clock says. */
async function settle(value: () => Promise<number>, wanted: number): Promise<void> {
  await expect.poll(value).toBeGreaterThanOrEqual(wanted)
}
