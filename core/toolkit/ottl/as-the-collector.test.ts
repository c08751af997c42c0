import { describe, expect, it, test } from 'vitest'
import { createRecord, fromJson, type Json } from '../../model/index.js'
import { compileCondition, compileStatements, OttlEvalError } from './index.js'

// Values of the Collector's own tables and code (pkg/ottl, 2024 to 2026).

function run(statement: string, attributes: { [key: string]: Json } = {}, id = '1') {
  const record = createRecord({
    id,
    traceId: '0102030405060708090a0b0c0d0e0f10',
    spanId: '0102030405060708',
    body: 'text',
    attributes: fromJson(attributes) as never,
  })
  const options = { errorMode: 'propagate', onError: () => {} } as const
  return { ...compileStatements([statement], options).run([record])[0]!.attributes }
}

function value(expression: string, attributes: { [key: string]: Json } = {}): unknown {
  return run(`set(attributes["out"], ${expression})`, attributes).out
}

describe('an empty match right behind another match is none', () => {
  it.each([
    ['replace_pattern(attributes["a"], ".*", "X")', 'abc', 'X'],
    ['replace_pattern(attributes["a"], "(.*)", "<$1>")', 'abc', '<abc>'],
    ['replace_pattern(attributes["a"], "[0-9]*$", "N")', 'id 42', 'id N'],
    ['replace_pattern(attributes["a"], "b*", "-")', 'abbc', '-a-c-'],
    ['replace_pattern(attributes["a"], "", "-")', 'äb', '-ä-b-'],
    ['replace_pattern(attributes["a"], "x*", "-")', '', '-'],
    ['replace_all_patterns(attributes, "value", "(?P<all>.*)", "[${all}]")', '😀é', '[😀é]'],
    [
      'replace_pattern(attributes["a"], ".*", "X", SHA256)',
      'abc',
      '4b68ab3847feda7d6c62c1fbcbeebfa35eab7351ed5e78f4ddadea5df64b8015',
    ],
  ])('%s', (statement, a, expected) => {
    expect(run(statement, { a })).toEqual({ a: expected })
  })
})

describe('globs are those of gobwas, without separators', () => {
  it.each<[string, string, boolean]>([
    ['https://*', 'https://x/y', true],
    ['*/*', 'http://localhost/health', true],
    ['a?c', 'a/c', true],
    ['a**c', 'a/b/c', true],
    ['{a,b}', 'a', true],
    ['{a,b}', '{a,b}', false],
    ['{a*,{b,c}d}x', 'cdx', true],
    ['{a,b}', 'c', false],
    ['x{,y}', 'x', true],
    ['[!abc]', 'a', false],
    ['[!abc]', 'd', true],
    ['[abc]', 'b', true],
    ['[^a]', '^', true],
    ['[a-c]', 'b', true],
    ['[!a-c]', 'b', false],
    ['[.]', 'x', false],
    ['\\\\*', '*', true],
    ['\\\\*', 'x', false],
    ['a,b}', 'a,b}', true],
    ['user\\\\{*\\\\}', 'user{1}', true],
    ['*', 'two\nlines', true],
    ['?', '😀', true],
    ['(a|b)', 'a', false],
  ])('%s on %s: %s', (glob, a, matches) => {
    expect(run(`replace_match(attributes["a"], "${glob}", "T")`, { a })).toEqual({ a: matches ? 'T' : a })
  })

  it.each(['[a-z0-9]', '[z-a]', '[', '[]', '{a', '[abc'])('%s is refused when compiled', glob => {
    expect(() => run(`replace_match(attributes["a"], "${glob}", "T")`)).toThrow(/glob/)
  })
})

describe('values', () => {
  it.each<[string, unknown]>([
    ['Concat([attributes["l"], attributes["m"]], ",")', '[1,2],[3,4]'],
    ['Concat([attributes["o"], attributes["o"]], " ")', '{"a":1} {"a":1}'],
    ['4.0 / 2', 2],
    ['attributes["int"] * 1.5', 4.5],
    ['1 + 0.5 - 2', -0.5],
    ['String(span_id)', '[1,2,3,4,5,6,7,8]'],
    ['String(SpanID(0x0102030405060708))', '[1,2,3,4,5,6,7,8]'],
    ['String(0x0102)', '0102'],
    ['Hex(span_id)', '0102030405060708'],
    ['Decode("a", "UTF-8")', 'a'],
    ['Decode(0xe9, "ISO-8859-1")', 'é'],
    ['Decode(0x6100e900, "UTF-16")', 'aé'],
    ['Decode(0x61006200, "UTF16")', 'ab'],
    ['Decode(0xcff0e8, "WINDOWS-1251")', 'При'],
    ['Decode(0x80, "windows-1252")', '€'],
    ['Decode(0x8ee0, "Shift_JIS")', '錫'],
    ['ParseKeyValue("name=\\"   ottl \\" func=\\"  key_ value\\"")', { name: 'ottl', func: 'key_ value' }],
    [`ParseKeyValue("a=b c=d'='")`, { a: 'b', c: 'd=' }],
    [`ParseKeyValue("a='x \\"y\\" z' b=say\\" hi\\"")`, { a: 'x "y" z', b: 'say hi' }],
    ['Hours(Duration("6000000000000ns"))', 1.6666666666666665],
    ['Minutes(Duration("90s"))', 1.5],
    ['Hex(nil)', ''],
    ['Int("x")', undefined],
    ['Double(nil)', undefined],
    ['Bool(nil)', undefined],
    ['IsInCIDR("nonsense", ["10.0.0.0/8"])', false],
    ['Base64Decode("YQ==")', 'a'],
    ['Decode("YQ", "base64-raw")', 'a'],
  ])('%s', (expression, expected) => {
    expect(value(expression, { l: [1, 2], m: [3, 4], o: { a: 1 }, int: 3 })).toEqual(expected)
  })

  test('flatten numbers the maps of a list, and the plain items only where they conflict', () => {
    const things = [
      { name: 'foo', value: 2 },
      { name: 'bar', value: 5 },
    ]
    expect(run('flatten(attributes, "test", resolveConflicts=true)', { things })).toEqual({
      'test.things.0.name': 'foo',
      'test.things.0.value': 2n,
      'test.things.1.name': 'bar',
      'test.things.1.value': 5n,
    })
    expect(
      run('flatten(attributes, resolveConflicts=true)', { l: ['a', 'b'], x: { y: 1 }, 'x.y': 2 }),
    ).toEqual({ l: 'a', 'l.0': 'b', 'x.y': 1n, 'x.y.0': 2n })
  })
})

describe('an error where there should be one', () => {
  it.each([
    'Double("test")',
    'Double("")',
    'Bool("TrUe")',
    'Bool("6")',
    'Bool("")',
    'Bool([])',
    'Bool({})',
    'Hex({"hi":"hi"})',
    'Hex([1])',
    'IsInCIDR(10, ["10.0.0.0/8"])',
    'IsInCIDR(nil, ["10.0.0.0/8"])',
    'ParseCSV("a,b", "")',
    'ParseCSV("a::b", "x::y", "::")',
    'ParseCSV("a,b", "x,y", ",", "::")',
    'Base64Decode("YQ")',
    'Base64Decode("YQ=")',
    'Base64Decode("YQ==x")',
    'Decode("YWI", "base64")',
    'Decode("YQ==", "base64-raw")',
    'Decode("a", "utf-99")',
    'UnixNano(Time("11/11/11", "%Y/%m/%d"))',
  ])('%s', expression => {
    expect(() => value(expression)).toThrow()
    // The same with a value that only the record has.
    const [, text] = /"((?:[^"\\]|\\.)*)"/.exec(expression) ?? []
    if (/^(?:Double|Bool|Base64Decode)\("/.test(expression)) {
      expect(() => value(expression.replace(/"[^"]*"/, 'attributes["a"]'), { a: text as string })).toThrow(
        OttlEvalError,
      )
    }
  })
})

describe('Time', () => {
  const ms = (args: string) => value(`UnixMilli(Time(${args}))`) as bigint
  it.each<[string, string]>([
    ['"2023-05-26 12:34:56 HST", "%Y-%m-%d %H:%M:%S %Z"', '2023-05-26T22:34:56Z'],
    ['"2023-05-26 12:34:56 EST", "%F %T %Z", "America/New_York"', '2023-05-26T17:34:56Z'],
    ['"25 febbraio 2002 14:03:04", "%d %B %Y %T", "", "it"', '2002-02-25T14:03:04Z'],
    [
      '"febrero 25 lunes, 2002 02:03:04 p. m.", "%B %d %A, %Y %I:%M:%S %p", "Europe/Madrid", "es-ES"',
      '2002-02-25T13:03:04Z',
    ],
    ['"2024-03-01 12:00:00.5", "%F %T.%f"', '2024-03-01T12:00:00.500Z'],
    ['"2024-03-01 12:00:00.500", "%F %T.%L"', '2024-03-01T12:00:00.500Z'],
    ['"2024-03-01 12:00:00.5", "%F %T"', '2024-03-01T12:00:00.500Z'],
    ['"2024-03-01T12:00:00+02:00", "%FT%T%j"', '2024-03-01T10:00:00Z'],
  ])('%s', (args, expected) => {
    expect(new Date(Number(ms(args))).toISOString()).toBe(new Date(expected).toISOString())
  })

  it.each([
    '"2024-13-01", "%Y-%m-%d"',
    '"2024-02-31", "%Y-%m-%d"',
    '"2023-02-29", "%F"',
    '"11/11/11", "%Y/%m/%d"',
    '"2024-01-01 10:00:00 IST", "%F %T %Z"',
    '"2024-01-01", "%F", "Nowhere/Town"',
    '"2024-01-01", "%F", "", "xx"',
    '"2024-01-01", "%F %U"',
  ])('%s is an error', args => {
    expect(() => ms(args)).toThrow()
  })

  test('of a date without a year is this year or the last', () => {
    const seconds = (text: string) => {
      const options = {
        errorMode: 'propagate',
        onError: () => {},
        now: () => 1_767_834_245_000_000_000n,
      } as const
      const [record] = compileStatements(
        [`set(attributes["t"], UnixSeconds(Time("${text}", "%b %d %H:%M:%S")))`],
        options,
      ).run([createRecord({ id: '1' })])
      return new Date(Number(record!.attributes.t) * 1000).toISOString()
    }
    expect(seconds('Jan 02 10:00:00')).toBe('2026-01-02T10:00:00.000Z')
    expect(seconds('Jan 14 10:00:00')).toBe('2026-01-14T10:00:00.000Z')
    expect(seconds('Dec 31 10:00:00')).toBe('2025-12-31T10:00:00.000Z')
  })
})

describe('ExtractGrokPatterns', () => {
  it.each<[string, string, unknown]>([
    [
      '55.3.244.1 GET /index.html 15824 0.043',
      '"%{IP:client.address} %{WORD:method} %{URIPATHPARAM:path} %{NUMBER:bytes:int} %{NUMBER:duration:float}", true',
      { 'client.address': '55.3.244.1', method: 'GET', path: '/index.html', bytes: 15824n, duration: 0.043 },
    ],
    ['took 5s', '"%{NUMBER:n:int}%{UNIT}", true, ["UNIT=s|ms"]', { n: 5n }],
    ['took 5s', '"%{INT}%{UNIT:unit}", patternDefinitions=["UNIT=s|ms"]', { INT: '5', unit: 's' }],
    ['ok=true', '"ok=%{BOOL:ok:boolean}", true', { ok: true }],
    ['none', '"%{IPV4:ip}", true', {}],
    ['a 1', '"(?P<letter>[a-z]) %{INT:n}", true', { letter: 'a', n: '1' }],
    [
      'Nov 16 10:27:44 web01 sshd[4711]: Failed password for root',
      '"%{SYSLOGLINE}", true',
      {
        timestamp: 'Nov 16 10:27:44',
        'host.hostname': 'web01',
        'process.name': 'sshd',
        'process.pid': 4711n,
        message: 'Failed password for root',
      },
    ],
    [
      '<34>1 2003-10-11T22:14:15.003Z host.example.com su 77 ID47 [x@1 a="b"] it failed',
      '"%{SYSLOG5424LINE}", true',
      {
        'log.syslog.priority': 34n,
        'system.syslog.version': '1',
        timestamp: '2003-10-11T22:14:15.003Z',
        'host.hostname': 'host.example.com',
        'process.name': 'su',
        'process.pid': 77n,
        'event.code': 'ID47',
        'system.syslog.structured_data': '[x@1 a="b"]',
        message: 'it failed',
      },
    ],
    [
      '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif?x=1 HTTP/1.0" 200 2326 "http://e.org/" "Mozilla/4.08 [en]"',
      '"%{COMBINEDAPACHELOG}", true',
      {
        'source.address': '127.0.0.1',
        'user.name': 'frank',
        timestamp: '10/Oct/2000:13:55:36 -0700',
        'http.request.method': 'GET',
        'url.original': '/a.gif?x=1',
        'http.version': '1.0',
        'http.response.status_code': 200n,
        'http.response.body.bytes': 2326n,
        'http.request.referrer': 'http://e.org/',
        'user_agent.original': 'Mozilla/4.08 [en]',
      },
    ],
    [
      '[Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187:5151] AH00128: File does not exist: /x',
      '"%{HTTPD_ERRORLOG}", true',
      {
        timestamp: 'Wed Oct 11 14:32:52.123456 2000',
        'apache.error.module': 'core',
        'log.level': 'error',
        'process.pid': 35708n,
        'process.thread.id': 4328636416n,
        'source.address': '72.15.99.187',
        'source.port': 5151n,
        'error.code': 'AH00128',
        message: 'File does not exist: /x',
      },
    ],
    [
      '2001:db8::1 fe80::1%eth0 ::ffff:10.0.0.1 ::',
      '"^%{IP:a} %{IP:b} %{IP:c} %{IP:d}$", true',
      {
        a: '2001:db8::1',
        b: 'fe80::1%eth0',
        c: '::ffff:10.0.0.1',
        d: '::',
      },
    ],
    [
      '2026-01-02T03:04:05.678+01:00 WARN x',
      '"%{TIMESTAMP_ISO8601:t} %{LOGLEVEL:l} %{GREEDYDATA:m}", true',
      {
        t: '2026-01-02T03:04:05.678+01:00',
        l: 'WARN',
        m: 'x',
      },
    ],
    ['https://u:p@h.example:8443/a/b?c=d', '"^%{URI:u}$", true', { u: 'https://u:p@h.example:8443/a/b?c=d' }],
  ])('%s', (text, args, expected) => {
    expect(value(`ExtractGrokPatterns(attributes["a"], ${args})`, { a: text })).toEqual(expected)
  })

  it.each([
    ['"%{NUMBR:n}"', 'did you mean NUMBER'],
    ['"%{NUMBER:n:date}"', 'no type date'],
    ['"%{NUMBER"', 'does not begin'],
    ['"[0-9]+", true', 'names no field'],
    ['"%{A}", true, ["A=%{B}", "B=%{A}"]', 'contains itself'],
    ['"%{A}", true, ["A"]', 'NAME=pattern'],
    ['"%{WORD:a}(?!x)", true', 'RE2'],
  ])('%s is refused when compiled', (args, message) => {
    expect(() => value(`ExtractGrokPatterns(body, ${args})`)).toThrow(message)
  })

  test('every pattern compiles and matches', async () => {
    const { GROK_PATTERNS } = await import('./functions/grok-patterns.js')
    for (const name of Object.keys(GROK_PATTERNS)) {
      expect(() => value(`ExtractGrokPatterns(body, "%{${name}:it}")`), name).not.toThrow()
    }
  })

  test('a number too long for its type is an error', () => {
    expect(() => value('ExtractGrokPatterns("99999999999999999999", "%{INT:n:int}")')).toThrow('no int')
  })
})

describe('UUID', () => {
  const uuid = (statement: string, id: string) => run(statement, {}, id).out as string

  test('differs by record and by place, and is the same for a record that comes again', () => {
    const statement = 'set(attributes["out"], UUID()) where attributes["out"] == nil'
    expect(uuid(statement, 'a')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    expect(uuid(statement, 'a')).toBe(uuid(statement, 'a'))
    expect(uuid(statement, 'a')).not.toBe(uuid(statement, 'b'))
    const two = run('set(attributes["out"], [UUID(), UUID()])').out as string[]
    expect(two[0]).not.toBe(two[1])
    expect(compileCondition('UUID() != nil').test(createRecord({ id: '1' }))).toBe(true)
  })
})
