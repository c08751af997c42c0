import { describe, expect, it } from 'vitest'
import { createRecord, fromJson, type LogRecord, toJson } from '../../model/index.js'
import { compileStatements, OttlEvalError, type StatementGroup, type StatementOptions } from './index.js'

const ATTRIBUTES = {
  a: 'one',
  b: { c: 'two', d: [1, 'three'] },
  password: 'secret',
  path: '/user/7/list/9',
  n: 5,
}

const record = (attributes: object = ATTRIBUTES, id = '1'): LogRecord =>
  createRecord({
    id,
    timestamp: 1_000_000_000n,
    body: 'GET /account/1234 took 7 ms',
    severityNumber: 9,
    attributes: fromJson(attributes) as never,
    resource: { attributes: fromJson({ host: 'h1' }) as never, droppedAttributesCount: 0, schemaUrl: '' },
  })

const strict: StatementOptions = { errorMode: 'propagate', onError: () => {} }

function run(statements: readonly (string | StatementGroup)[], of: LogRecord = record()): LogRecord {
  return compileStatements(statements, strict).run([of])[0] as LogRecord
}

const attributesAfter = (...statements: string[]): unknown => toJson(run(statements).attributes)

describe('editors', () => {
  it.each<[string, (a: typeof ATTRIBUTES) => unknown]>([
    ['set(attributes["x"], "y")', a => ({ ...a, x: 'y' })],
    ['set(target = attributes["x"], value = 1)', a => ({ ...a, x: 1 })],
    ['set(attributes["x"]["y"][1]["z"], true)', a => ({ ...a, x: { y: [null, { z: true }] } })],
    ['set(attributes["b"]["d"][0], 0x01)', a => ({ ...a, b: { ...a.b, d: ['AQ==', 'three'] } })],
    ['set(attributes["x"], nil)', a => a],
    ['set(attributes["x"], attributes["none"])', a => a],
    ['set(attributes, {"only": [1, {"k": nil}]})', () => ({ only: [1, { k: null }] })],
    ['set(attributes[attributes["a"]], 1)', a => ({ ...a, one: 1 })],
    ['delete_key(attributes, "password")', ({ password: _, ...rest }) => rest],
    ['delete_key(attributes, "none")', a => a],
    ['delete_key(attributes["b"], "c")', a => ({ ...a, b: { d: a.b.d } })],
    ['delete_matching_keys(attributes, "(?i)PASS")', ({ password: _, ...rest }) => rest],
    ['keep_keys(attributes, ["a", "zz"])', a => ({ a: a.a })],
    ['keep_matching_keys(attributes, "^[ab]$")', a => ({ a: a.a, b: a.b })],
    ['limit(attributes, 2, ["n"])', a => ({ a: a.a, n: a.n })],
    ['limit(attributes, 99, [])', a => a],
    ['merge_maps(attributes, {"a": 1, "x": 2}, "insert")', a => ({ ...a, x: 2 })],
    ['merge_maps(attributes, {"a": 1, "x": 2}, "update")', a => ({ ...a, a: 1 })],
    ['merge_maps(attributes, {"a": 1, "x": 2}, "upsert")', a => ({ ...a, a: 1, x: 2 })],
    ['flatten(attributes)', ({ b, ...a }) => ({ ...a, 'b.c': b.c, 'b.d.0': 1, 'b.d.1': 'three' })],
    ['flatten(attributes["b"], "p", 1)', a => ({ ...a, b: { 'p.c': 'two', 'p.d.0': 1, 'p.d.1': 'three' } })],
    ['set(attributes, {"0": {"1": {"2": {"3": 4}}}})', () => ({ 0: { 1: { 2: { 3: 4 } } } })],
    ['flatten(attributes, depth = 0)', a => a],
    [
      'flatten(attributes["b"], resolveConflicts = true)',
      a => ({ ...a, b: { c: 'two', d: 1, 'd.0': 'three' } }),
    ],
    ['stringify_all(attributes["b"])', a => ({ ...a, b: { c: 'two', d: '[1,"three"]' } })],
    ['append(attributes["b"]["d"], 2)', a => ({ ...a, b: { ...a.b, d: [1, 'three', 2] } })],
    ['append(attributes["a"], values = ["x", 1])', a => ({ ...a, a: ['one', 'x', 1] })],
    ['append(attributes["new"], "x")', a => ({ ...a, new: ['x'] })],
    ['delete_index(attributes["b"]["d"], 0)', a => ({ ...a, b: { ...a.b, d: ['three'] } })],
    ['delete_index(attributes["b"]["d"], 0, 2)', a => ({ ...a, b: { ...a.b, d: [] } })],
    ['replace_pattern(attributes["path"], "[0-9]+", "N")', a => ({ ...a, path: '/user/N/list/N' })],
    [
      'replace_pattern(attributes["path"], "/(\\\\w+)/(?P<id>[0-9]+)", "/$1/<${id}>$$$9")',
      a => ({ ...a, path: '/user/<7>$/list/<9>$' }),
    ],
    [
      'replace_pattern(attributes["a"], "o", "$0", SHA1, "<%s>")',
      a => ({ ...a, a: '<7a81af3e591ac713f81ea1efe93dcf36157d8376>ne' }),
    ],
    ['replace_pattern(attributes["n"], "5", "6")', a => a],
    [
      'replace_match(attributes["path"], "/user/*/list/*", "/user/{id}")',
      a => ({ ...a, path: '/user/{id}' }),
    ],
    ['replace_match(attributes["path"], "/users/*", "x")', a => a],
    ['replace_match(attributes["a"], "o[a-n]?", "x", ToUpperCase)', a => ({ ...a, a: 'X' })],
    ['replace_all_patterns(attributes, "value", "e$", "E")', a => ({ ...a, a: 'onE' })],
    [
      'replace_all_patterns(attributes, "key", "^pass", "p_")',
      ({ password, ...a }) => ({ ...a, p_word: password }),
    ],
    ['replace_all_matches(attributes, "*e*", "x")', a => ({ ...a, a: 'x', password: 'x', path: 'x' })],
    ['truncate_all(attributes, 4)', a => ({ ...a, password: 'secr', path: '/use' })],
    [
      'truncate_all(attributes, 5, truncation_marker = "...")',
      a => ({ ...a, password: 'se...', path: '/u...' }),
    ],
    ['set(attributes["x"], 1) where severity_number > 9', a => a],
    ['set(attributes["x"], 1) where severity_number == 9 and IsMatch(body, "GET")', a => ({ ...a, x: 1 })],
  ])('%s', (statement, expected) => {
    expect(attributesAfter(statement)).toEqual(expected(ATTRIBUTES))
  })

  it('set every field of a record', () => {
    const changed = run([
      'set(body["k"], 1) where IsMap(body)',
      'set(body, {"text": body})',
      'set(body["n"], Len(body["text"]))',
      'set(severity_number, SEVERITY_NUMBER_ERROR)',
      'set(severity_text, "ERROR")',
      'set(time, Time("2025-01-01", "%F"))',
      'set(observed_time_unix_nano, 5)',
      'set(trace_id, TraceID("0102030405060708090A0B0C0D0E0F10"))',
      'set(span_id.string, "0102030405060708")',
      'set(flags, 1)',
      'set(event_name, "e")',
      'set(dropped_attributes_count, 3)',
      'set(log.attributes["r"], resource.attributes["host"])',
      'set(scope.name, "s") where body["n"] == 27',
    ])
    expect(changed).toMatchObject({
      id: '1',
      body: { text: 'GET /account/1234 took 7 ms', n: 27n },
      severityNumber: 17,
      severityText: 'ERROR',
      timestamp: 1_735_689_600_000_000_000n,
      observedTimestamp: 5n,
      traceId: '0102030405060708090a0b0c0d0e0f10',
      spanId: '0102030405060708',
      flags: 1,
      eventName: 'e',
      droppedAttributesCount: 3,
      attributes: { r: 'h1' },
      scope: { name: 's' },
    })
    expect(Buffer.from(changed.bodyBytes()).toString()).toBe(JSON.stringify(toJson(changed.body)))
  })

  it.each([
    ['set(severity_text, 1)', 'severity_text takes a string'],
    ['set(severity_number, -1)', 'severity_number takes an integer'],
    ['set(time, 5)', 'set time_unix_nano'],
    ['set(trace_id, "x")', 'trace_id takes 32 hex digits'],
    ['set(attributes, "x")', 'attributes takes a map'],
    ['set(attributes["a"]["b"], 1)', 'inside a value that is not a map'],
    ['set(attributes["b"]["d"][5], 1)', 'there is no item 5'],
    ['set(attributes["new"][5000], 1)', 'a new list cannot start at item 5000'],
    ['set(cache, 1)', 'cache takes a map'],
    ['delete_key(attributes["a"], "x")', 'attributes["a"]: expected a map, found a string'],
    ['delete_index(attributes["b"]["d"], 2)', 'the list has no items 2 to 3'],
    ['merge_maps(attributes, attributes["a"], "upsert")', 'expected a map, found a string'],
    ['truncate_all(attributes, attributes["n"], truncation_marker = "123456")', 'longer than the limit'],
  ])('%s fails', (statement, message) => {
    expect(() => run([statement])).toThrow(OttlEvalError)
    expect(() => run([statement])).toThrow(message)
  })
})

describe('statements', () => {
  it('see what those before them changed, and leave the record below as it was', () => {
    const before = record()
    const image = toJson(before.attributes)
    const after = run(
      [
        'set(attributes["b"]["x"], 1)',
        'set(attributes["y"], attributes["b"]["x"] + 1)',
        'set(attributes["b"]["x"], 9)',
      ],
      before,
    )
    expect(after.get('attributes["b"]["x"]')).toBe(9n)
    expect(after.get('attributes["y"]')).toBe(2n)
    expect(toJson(before.attributes)).toEqual(image)
  })

  it('hand on the same record when nothing changed', () => {
    const before = record()
    expect(
      run(
        ['set(attributes["x"], 1) where false', 'delete_key(attributes, "none")', 'set(cache["x"], 1)'],
        before,
      ),
    ).toBe(before)
  })

  it('copy what they store: changing one place leaves the other', () => {
    const after = run([
      'set(attributes["b"]["x"], 1)',
      'set(attributes["copy"], attributes["b"])',
      'set(attributes["list"], [attributes["b"]])',
      'set(cache["kept"], attributes)',
      'set(attributes["b"]["x"], 2)',
      'set(attributes["copy"]["x"], 3)',
      'set(attributes["cached"], cache["kept"]["b"]["x"])',
      'append(attributes["more"], attributes["b"])',
      'set(attributes["b"]["x"], 4)',
      'merge_maps(attributes, {"merged": attributes["b"]}, "upsert")',
      'set(attributes["b"]["x"], 5)',
      'delete_key(attributes, "password")',
      'set(attributes["b"]["x"], 6)',
    ])
    const at = (path: string): unknown => after.get(`attributes${path}`)
    expect(
      [
        '["b"]["x"]',
        '["copy"]["x"]',
        '["list"][0]["x"]',
        '["cached"]',
        '["more"][0]["x"]',
        '["merged"]["x"]',
      ].map(at),
    ).toEqual([6n, 3n, 1n, 1n, 2n, 4n])
  })

  it('share a cache when single, and have their own in a group', () => {
    const after = run([
      'set(cache["x"], ParseJSON("{\\"a\\": 1}"))',
      'set(resource.attributes["seen"], true)',
      'set(attributes["x"], cache["x"]["a"])',
      {
        statements: [
          'set(attributes["y"], IsEmpty(cache))',
          'set(cache["z"], 1)',
          'set(attributes["z"], cache["z"])',
        ],
      },
    ])
    expect(toJson(after.attributes)).toMatchObject({ x: 1, y: true, z: 1 })
  })
})

it('flatten stops at its depth', () => {
  const after = run(['set(attributes, {"0": {"1": {"2": {"3": 4}}}})', 'flatten(attributes, depth = 2)'])
  expect(toJson(after.attributes)).toEqual({ '0.1.2': { 3: 4 } })
})

describe('groups', () => {
  const both = [record({ k: 'a' }, '1'), record({ k: 'b' }, '2')]

  it('run where one of their conditions is true', () => {
    const statements = compileStatements(
      [
        {
          conditions: ['attributes["k"] == "x"', 'attributes["k"] == "b"'],
          statements: ['set(attributes["hit"], true)'],
        },
      ],
      strict,
    )
    expect(statements.run(both).map(r => r.get('attributes["hit"]'))).toEqual([undefined, true])
  })

  it('of context resource run once for all records that share one', () => {
    const shared = both[0]!.resource
    const records = [...both, record({}, '3')].map((r, index) =>
      index < 2 ? r.patch({ resource: shared }) : r,
    )
    let calls = 0
    const statements = compileStatements(
      [
        'set(resource.attributes["n"], UnixNano(Now()))',
        {
          context: 'resource',
          statements: ['set(attributes["env"], "prod") where attributes["host"] == "h1"'],
        },
        { context: 'scope', statements: ['set(name, Concat([name, resource.attributes["env"]], "-"))'] },
      ],
      { ...strict, now: () => BigInt(++calls) },
    )
    const after = statements.run(records)
    expect(calls).toBe(2)
    expect(after.map(r => toJson(r.resource.attributes))).toEqual([
      { host: 'h1', n: 1, env: 'prod' },
      { host: 'h1', n: 1, env: 'prod' },
      { host: 'h1', n: 2, env: 'prod' },
    ])
    expect(after[0]!.resource).toBe(after[1]!.resource)
    expect(after.map(r => r.scope.name)).toEqual(['-prod', '-prod', '-prod'])
    expect(toJson(shared.attributes)).toEqual({ host: 'h1' })
  })

  it('of context log may give each record its resource; equal ones become one object', () => {
    const after = compileStatements(['set(resource.attributes["k"], attributes["k"])'], strict).run([
      ...both,
      record({ k: 'a' }, '3'),
    ])
    expect(after.map(r => r.resource.attributes.k)).toEqual(['a', 'b', 'a'])
    expect(after[2]!.resource).toBe(after[0]!.resource)
  })

  it('follow their own error mode, or that of all', () => {
    const errors: string[] = []
    const options: StatementOptions = {
      errorMode: 'ignore',
      onError: (error, text, mode) => errors.push(`${mode}: ${text}: ${error.message}`),
    }
    const failing = 'set(severity_text, attributes["n"])'
    const after = compileStatements(
      [
        failing,
        {
          errorMode: 'silent',
          conditions: ['body["x"] == 1', 'true'],
          statements: [failing, 'set(attributes["x"], 1)'],
        },
      ],
      options,
    ).run([record()])
    expect(after[0]!.get('attributes["x"]')).toBe(1n)
    expect(errors).toEqual([
      `ignore: ${failing}: set: severity_text takes a string`,
      'silent: body["x"] == 1: body["x"]: a string has no keys',
      `silent: ${failing}: set: severity_text takes a string`,
    ])
    expect(() =>
      compileStatements([{ errorMode: 'propagate', statements: [failing] }], options).run([record()]),
    ).toThrow(OttlEvalError)
  })
})
