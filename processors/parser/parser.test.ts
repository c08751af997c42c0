import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  createRecord,
  fromJson,
  type LogFields,
  type LogRecord,
  type Attributes as Map_,
} from 'tocsin/component'
import { processorConformance, testContext, VirtualClock } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { check, type ParserConfig } from './config.js'
import { parserProcessor } from './index.js'
import { parser } from './parser.js'

const SSH =
  'Failed password for (?:invalid user )?(?P<user>\\S+) from (?P<ip>\\S+) port (?P<port>\\d+)(?<proto> ssh2)?'

function config(given: Partial<ParserConfig>): ParserConfig {
  return { parse_from: 'body', on_no_match: 'drop', ...given }
}

function counting() {
  const counts: Record<string, number> = {}
  const meter = {
    createCounter: () => ({
      add: (value: number, labels: Record<string, string>) => {
        const key = `${labels.result} ${labels.reason}`
        counts[key] = (counts[key] ?? 0) + value
      },
    }),
  }
  return { counts, meter: meter as never }
}

async function run(
  given: Partial<ParserConfig>,
  inputs: readonly (string | Partial<LogFields>)[],
  now?: string,
) {
  const { counts, meter } = counting()
  const full = config(given)
  const context = testContext({ config: full, pipeline: 'logs', meter, clock: new VirtualClock(now) })
  const records = inputs.map((input, at) =>
    createRecord(
      typeof input === 'string'
        ? { id: `${at}`, bodyText: Buffer.from(input), observedTimestamp: 5n }
        : { id: `${at}`, ...input },
    ),
  )
  const out = await parser(context).process(records)
  return { out, counts, records }
}

function plain(record: LogRecord | undefined): unknown {
  return { ...record?.attributes }
}

describe('conformance', () => {
  const subject = {
    factory: parserProcessor,
    config: config({
      regex: '(?P<what>\\S+)',
      json: {},
      on_no_match: 'pass',
      timestamp: { from: 'what', format: 'rfc3339', time_zone: 'UTC' },
    }),
  }
  for (const item of processorConformance(subject)) test(item.name, item.run)
})

describe('regex', () => {
  test('groups become attributes, in both spellings; one that took no part is absent', async () => {
    const { out, counts } = await run({ regex: SSH }, [
      'x: Failed password for invalid user bob from 10.0.0.1 port 22',
      'Failed password for root from ::1 port 5 ssh2',
      'Accepted password for root',
    ])
    expect(out.map(plain)).toEqual([
      { user: 'bob', ip: '10.0.0.1', port: '22' },
      { user: 'root', ip: '::1', port: '5', proto: ' ssh2' },
    ])
    expect(counts).toEqual({ 'parsed ok': 2, 'dropped regex_no_match': 1 })
  })

  test('without groups it only selects', async () => {
    const { out, records } = await run({ regex: 'ERR' }, ['an ERR', 'fine'])
    expect(out).toEqual([records[0]])
    expect(out[0]).toBe(records[0])
  })

  test('what does not match can pass', async () => {
    const { out, counts, records } = await run({ regex: '(?P<n>\\d+)', on_no_match: 'pass' }, ['7', 'none'])
    expect(out[1]).toBe(records[1])
    expect(counts).toEqual({ 'parsed ok': 1, 'passed regex_no_match': 1 })
  })

  test('other attributes stay, those of the same name are replaced', async () => {
    const attributes = fromJson({ user: 'old', app: 'x' }) as Map_
    const { out } = await run({ regex: 'user=(?P<user>\\S+)' }, [{ body: 'user=äöü', attributes }])
    expect(plain(out[0])).toEqual({ user: 'äöü', app: 'x' })
  })

  test('parse_from takes any path; a value that is not there does not match', async () => {
    const { out, counts } = await run({ regex: '(?P<code>\\d+)', parse_from: 'attributes["message"]' }, [
      { attributes: fromJson({ message: 'code 7' }) as Map_ },
      { attributes: fromJson({ message: 42 }) as Map_ },
      { attributes: fromJson({ other: 'code 7' }) as Map_ },
    ])
    expect(out.map(record => record.attributes.code)).toEqual(['7', '42'])
    expect(counts).toMatchObject({ 'dropped source_missing': 1 })
  })

  test('bytes that are not UTF-8 do no harm', async () => {
    const body = Buffer.from([0x61, 0xff, 0x62, 0x3d, 0x37])
    const record = createRecord({ id: '1', bodyText: body })
    const full = config({ regex: 'b=(?P<n>\\d)' })
    const out = await parser(testContext({ config: full })).process([record])
    expect(out[0]?.attributes.n).toBe('7')
  })
})

describe('json', () => {
  test('dotted fields land under their last segment', async () => {
    const body = JSON.stringify({
      status: 500,
      request: { path: '/a', 'user.id': 7 },
      'log.level': 'warn',
      list: [{ x: 1 }],
    })
    const { out } = await run(
      { json: { fields: ['status', 'request.path', 'request.user.id', 'log.level', 'list.0.x', 'nope.y'] } },
      [body],
    )
    expect(plain(out[0])).toEqual({ status: 500n, path: '/a', id: 7n, level: 'warn', x: 1n })
  })

  test('without fields all of the top level', async () => {
    const { out } = await run({ json: {} }, ['{"a": 1, "b": {"c": [true]}, "__proto__": "x"}'])
    expect(Object.entries(out[0]?.attributes ?? {})).toEqual([
      ['a', 1n],
      ['b', fromJson({ c: [true] })],
      ['__proto__', 'x'],
    ])
  })

  test('a path leads through texts that hold JSON', async () => {
    const body = JSON.stringify({ payload: JSON.stringify({ user: { id: 'u1' }, inner: '[{"n": 3}]' }) })
    const { out } = await run(
      { json: { fields: ['payload.user.id', 'payload.inner.0.n', 'payload.inner'] } },
      [body],
    )
    expect(plain(out[0])).toEqual({ id: 'u1', n: 3n, inner: '[{"n": 3}]' })
  })

  test('a body that is a map already, and attributes', async () => {
    const { out } = await run({ json: { fields: ['a.b'] } }, [{ body: fromJson({ a: { b: 1 } }) }])
    expect(plain(out[0])).toEqual({ b: 1n })
    const attributes = fromJson({ 'request.path': '/x' }) as Map_
    const other = await run({ json: { fields: ['request.path'] }, parse_from: 'attributes' }, [
      { attributes },
    ])
    expect(plain(other.out[0])).toEqual({ 'request.path': '/x', path: '/x' })
  })

  test('what is no JSON object is counted by reason', async () => {
    const deep = `${'{"a":'.repeat(101)}1${'}'.repeat(101)}`
    const { out, counts } = await run({ json: {} }, [
      '{"a": 1',
      'text',
      '[1]',
      '3',
      deep,
      `${'['.repeat(9000)}`,
    ])
    expect(out).toEqual([])
    expect(counts).toEqual({
      'dropped invalid_json': 3,
      'dropped json_not_an_object': 2,
      'dropped json_too_deep': 1,
    })
  })

  test('with a regex both must fit', async () => {
    const { out, counts } = await run({ regex: '"n":(?P<digits>\\d+)', json: { fields: ['n'] } }, [
      '{"n":5}',
      '"n":5',
      '{}',
    ])
    expect(out.map(plain)).toEqual([{ digits: '5', n: 5n }])
    expect(counts).toEqual({ 'parsed ok': 1, 'dropped invalid_json': 1, 'dropped regex_no_match': 1 })
  })
})

describe('timestamp', () => {
  test('from a group of the regex', async () => {
    const timestamp = { from: 'time', format: '%b %d %H:%M:%S', time_zone: 'Europe/Paris', year: 2025 }
    const { out, counts } = await run({ regex: '^(?P<time>\\w+ +\\d+ \\S+)', timestamp }, [
      'Jul  4 12:00:00 host x',
    ])
    expect(out[0]?.timestamp).toBe(BigInt(Date.UTC(2025, 6, 4, 10)) * 1_000_000n)
    expect(out[0]?.attributes.time).toBe('Jul  4 12:00:00')
    expect(counts).toEqual({ 'parsed ok': 1 })
  })

  test('one that cannot be read costs no record', async () => {
    const timestamp = { from: 'attributes["t"]', format: 'rfc3339', time_zone: 'UTC' }
    const { out, counts } = await run({ timestamp }, [
      { timestamp: 9n, attributes: fromJson({ t: '2026-01-15T10:00:00.5+01:00' }) as Map_ },
      { timestamp: 9n, attributes: fromJson({ t: 'yesterday' }) as Map_ },
      { timestamp: 9n },
    ])
    expect(out.map(record => record.timestamp)).toEqual([
      BigInt(Date.UTC(2026, 0, 15, 9)) * 1_000_000n + 500_000_000n,
      9n,
      9n,
    ])
    expect(counts).toEqual({ 'parsed ok': 1, 'parsed timestamp_invalid': 1, 'parsed timestamp_missing': 1 })
  })
})

describe('configuration', () => {
  test.each<[Partial<ParserConfig>, string]>([
    [{}, 'there is nothing to parse'],
    [{ json: { fields: ['a.id', 'b.id'] } }, '"b.id" and "a.id" would both become the attribute "id"'],
    [{ json: { fields: ['a..b'] } }, '"a..b" has an empty segment'],
    [{ timestamp: { from: 't', format: 'iso', time_zone: 'UTC' } }, '"iso" is no time format'],
    [{ timestamp: { from: 't', format: '%Y-%m-%d %Q', time_zone: 'UTC' } }, '%Q is not known'],
    [{ timestamp: { from: 't', format: '%H:%M', time_zone: 'UTC' } }, '"%H:%M" has no day and month'],
    [
      { timestamp: { from: 't', format: '%F', time_zone: 'UTC', year: 2020 } },
      'the format has a year of its own',
    ],
  ])('%j', (given, message) => {
    expect(check(config(given)).map(problem => problem.message)).toEqual([message])
  })

  test('is accepted', () => {
    expect(check(config({ regex: 'x' }))).toEqual([])
    expect(
      check(config({ timestamp: { from: 't', format: '%b %e %T', time_zone: 'UTC', year: 2020 } })),
    ).toEqual([])
  })
})

describe('real logs', () => {
  const shared = process.env.TOCSIN_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url))
  const lines = (log: string) =>
    readFileSync(`${shared}/loghub/${log}/${log}_2k.log`, 'utf8').split(/\r?\n/).filter(Boolean)
  const here = existsSync(`${shared}/loghub`)

  test.skipIf(!here)(
    'OpenSSH: the failed passwords of its table of templates (needs ../shared)',
    async () => {
      const { out } = await run(
        { regex: 'Failed password for (?P<user>.*) from (?P<ip>\\S+) port' },
        lines('OpenSSH'),
      )
      const table = readFileSync(`${shared}/loghub/OpenSSH/OpenSSH_2k.log_structured.csv`, 'utf8')
      // E14 is "message repeated 5 times: [ Failed password for root from ... ]".
      const expected = table.split(/\r?\n/).filter(line => /,E(9|10|14),/.test(line)).length
      expect(out.length).toBe(expected)
    },
  )

  test.skipIf(!here).each([
    ['Apache', '^\\[(?P<t>[^\\]]+)\\]', '%a %b %d %H:%M:%S %Y', '2005-12-04T04:47:44Z'],
    ['HDFS', '^(?P<t>\\d+ \\d+)', '%y%m%d %H%M%S', '2008-11-09T20:36:15Z'],
    ['Hadoop', '^(?P<t>\\S+ \\S+)', '%Y-%m-%d %H:%M:%S,%L', '2015-10-18T18:01:47.978Z'],
    ['Linux', '^(?P<t>\\w+ +\\d+ \\S+)', '%b %d %H:%M:%S', '2025-06-14T15:16:01Z'],
    ['OpenSSH', '^(?P<t>\\w+ +\\d+ \\S+)', '%b %d %H:%M:%S', '2025-12-10T06:55:46Z'],
    ['OpenStack', '^\\S+ (?P<t>\\S+ \\S+)', '%F %T.%L', '2017-05-16T00:00:00.008Z'],
  ])('%s: the time of every line (needs ../shared)', async (log, regex, format, first) => {
    const all = lines(log)
    const { out, counts } = await run(
      { regex, timestamp: { from: 't', format, time_zone: 'UTC' } },
      all,
      '2026-02-01T00:00:00Z',
    )
    expect(counts).toEqual({ 'parsed ok': all.length })
    expect(out[0]?.timestamp).toBe(BigInt(Date.parse(first)) * 1_000_000n)
  })
})

describe('bytes of journald are text (W26)', () => {
  const bytes = (text: string) => JSON.stringify([...Buffer.from(text)])
  test.each([
    [
      'a CR',
      `{"MESSAGE":${bytes('ERROR boom\r')},"PRIORITY":"3"}`,
      { MESSAGE: 'ERROR boom\r', PRIORITY: '3' },
    ],
    [
      'a colour',
      `{"MESSAGE":${bytes('\u001b[31mERROR ü\u001b[0m')}}`,
      { MESSAGE: '\u001b[31mERROR ü\u001b[0m' },
    ],
    [
      'no UTF-8',
      '{"MESSAGE":[255,69],"_TRANSPORT":"journal"}',
      { MESSAGE: '\ufffdE', _TRANSPORT: 'journal' },
    ],
    ['another field', `{"MESSAGE":"x","_CMDLINE":${bytes('a\tb')}}`, { MESSAGE: 'x', _CMDLINE: 'a\tb' }],
    ['several times', `{"MESSAGE":"x","A":["a",${bytes('b\r')}]}`, { MESSAGE: 'x', A: ['a', 'b\r'] }],
    ['too long', '{"MESSAGE":null,"_BOOT_ID":"1"}', { MESSAGE: null, _BOOT_ID: '1' }],
    ['text', '{"MESSAGE":"ERROR boom"}', { MESSAGE: 'ERROR boom' }],
  ])('%s', async (_, body, expected) => {
    const { out } = await run({ json: {} }, [body])
    expect({ ...out[0]?.attributes }).toEqual(expected)
  })

  test('also where fields are named', async () => {
    const { out } = await run({ json: { fields: ['MESSAGE'] } }, [`{"MESSAGE":${bytes('a\r')}}`])
    expect({ ...out[0]?.attributes }).toEqual({ MESSAGE: 'a\r' })
  })

  test.each([
    '{"ports":[80,443],"a":"b"}',
    '{"IDS":[1,2,3]}',
    '{"MESSAGE":[1,2],"code":5}',
    '{"MESSAGE":[300,2]}',
    '{"MESSAGE":[]}',
  ])('lists of other JSON stay lists: %s', async body => {
    const { out } = await run({ json: {} }, [body])
    const [first] = Object.values(out[0]?.attributes ?? {})
    expect(Array.isArray(first)).toBe(true)
  })
})
