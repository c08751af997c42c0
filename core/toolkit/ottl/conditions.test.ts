import { describe, expect, it } from 'vitest'
import { createRecord, fromJson, type LogRecord, NO_SCOPE } from '../../model/index.js'
import { compileCondition, OttlEvalError } from './index.js'

const record = createRecord({
  id: '1',
  timestamp: 1_736_935_200_123_456_789n,
  observedTimestamp: 1_736_935_201_000_000_000n,
  severityNumber: 17,
  severityText: 'ERROR',
  body: 'disk usage at 97% on /dev/sda1',
  eventName: 'disk.full',
  flags: 1,
  droppedAttributesCount: 2,
  traceId: '0102030405060708090a0b0c0d0e0f10',
  attributes: fromJson({
    alert: { skip_webhook: false, count: 3 },
    'host.name': 'web-1',
    key: 'host.name',
    ratio: 0.5,
    list: ['a', 2, { deep: true }],
    empty: null,
  }) as never,
  resource: {
    attributes: fromJson({ 'service.name': 'shop' }) as never,
    droppedAttributesCount: 0,
    schemaUrl: 'https://example.test/1',
  },
  scope: { ...NO_SCOPE, name: 'logger', version: '1.2', attributes: fromJson({ team: 'core' }) as never },
})

const test = (text: string, of: LogRecord = record): boolean => compileCondition(text).test(of)

describe('conditions that are true', () => {
  it.each([
    // paths
    'attributes["alert"]["skip_webhook"] == false',
    'log.attributes["host.name"] == "web-1"',
    'attributes["none"] == nil',
    'attributes["none"]["deeper"]["still"] == nil',
    'attributes["empty"] == nil',
    'attributes["list"][0] == "a" and attributes["list"][2]["deep"] == true',
    'attributes[attributes["key"]] == "web-1"',
    'attributes[Concat(["host", "name"], ".")] == "web-1"',
    'attributes["list"][Int("1")] == 2',
    'attributes["alert"] == {"count": 3, "skip_webhook": false}',
    'body == "disk usage at 97% on /dev/sda1" and log.body == body.string',
    'resource.attributes["service.name"] == "shop"',
    'resource.schema_url == "https://example.test/1" and resource.dropped_attributes_count == 0',
    'scope.name == "logger" and instrumentation_scope.version == "1.2"',
    'scope.attributes["team"] == instrumentation_scope.attributes["team"]',
    'severity_number == 17 and severity_text == "ERROR"',
    'severity_number == SEVERITY_NUMBER_ERROR and severity_number < SEVERITY_NUMBER_FATAL',
    'SEVERITY_NUMBER_UNSPECIFIED == 0 and SEVERITY_NUMBER_TRACE4 == 4 and SEVERITY_NUMBER_FATAL4 == 24',
    'time_unix_nano == 1736935200123456789',
    'observed_time_unix_nano > time_unix_nano and observed_time > time',
    'observed_time - time < Duration("1s")',
    'trace_id == TraceID("0102030405060708090a0b0c0d0e0f10")',
    'trace_id == 0x0102030405060708090a0b0c0d0e0f10',
    'trace_id.string == "0102030405060708090a0b0c0d0e0f10"',
    'span_id == SpanID(0x0000000000000000) and span_id.string == "0000000000000000"',
    'flags == 1 and dropped_attributes_count == 2 and event_name == "disk.full"',
    // literals
    '0xC0FFEE == 0xc0ffee',
    '"a\\"b\\\\c\\n\\x41\\u00e9" == "a\\"b\\\\c\\nAé"',
    '-1 < +1 and .5 == 0.5 and -.5 < 0 and 2.5e3 == 2500',
    '9223372036854775807 > -9223372036854775808',
    '[1, "a", [nil]] == [1, "a", [nil]]',
    'true',
    'not false',
    // logic: not before and before or
    'true or false and false',
    'not false and true',
    'not (false or false)',
    'not not true',
    'not 1 == 2',
    'true or attributes["host.name"]["x"] == 1',
    // arithmetic
    '1 + 2 * 3 == 7 and (1 + 2) * 3 == 9',
    '7 / 2 == 3 and -7 / 2 == -3 and 7.0 / 2.0 == 3.5',
    '10 - 2 - 3 == 5 and 1 -1 == 0 and 2*3/4 == 1',
    '9223372036854775807 + 1 == -9223372036854775808',
    'attributes["alert"]["count"] * 2 > severity_number - 12',
    'attributes["ratio"] + 0.25 == 0.75',
    'attributes["ratio"] + 1 == 1.5',
    '(time + Duration("1m")) - time == Duration("60s")',
    '1 == 1.0 and 1 < 1.5',
    // calls
    'IsMatch(body, "(?i)DISK usage at 9[0-9]%")',
    'IsMatch(attributes["none"], ".*") == false',
    'IsMatch(attributes["alert"], "skip_webhook")',
    'IsMatch(severity_number, "^17$")',
    'HasPrefix(value="abc", prefix="a")',
    'Split(body, " ")[3] == "97%"',
    'ParseJSON("{\\"a\\": [1, 2]}")["a"][1] == 2',
    'IsString(attributes["host.name"]) and not IsString(attributes["none"])',
    'ContainsValue(["ERROR", "FATAL"], severity_text)',
  ])('%s', text => {
    expect(test(text)).toBe(true)
  })
})

describe('a condition that cannot be told', () => {
  it.each([
    ['attributes["host.name"]["x"] == 1', 'attributes["host.name"]["x"]: a string has no keys'],
    ['body["level"] == "x"', 'body["level"]: a string has no keys'],
    ['attributes["list"][7] == 1', 'attributes["list"][7]: there is no item 7'],
    ['HasPrefix(attributes["none"], "a")', 'HasPrefix: "value": expected a string, found nil'],
    ['attributes["none"] + 1 == 2', 'cannot calculate nil + an integer'],
    ['attributes["ratio"] + "a" == 2', 'cannot calculate a floating point number + a string'],
    ['1 / attributes["alert"]["count"] / (severity_number - 17) == 0', 'divided by zero'],
    ['Bool(attributes["none"])', 'Bool answered nil where a condition needs a boolean'],
    ['Bool(attributes["host.name"])', 'Bool: the text is no boolean'],
    ['Split(body, " ")[99] == ""', 'Split: there is no item 99'],
    ['IsMatch(body, Concat(["(", body], ""))', 'RE2 refuses the regular expression: missing )'],
  ])('%s', (text, message) => {
    expect(() => test(text)).toThrow(OttlEvalError)
    expect(() => test(text)).toThrow(message)
  })

  it('names types and paths, never what the record holds', () => {
    const secret = createRecord({ id: '1', body: 'hunter2', attributes: fromJson({ a: 'hunter2' }) as never })
    for (const text of [
      'body["a"] == 1',
      'attributes["a"] + 1 == 2',
      'Duration(body) == nil',
      'ParseJSON(body) == nil',
    ]) {
      expect(() => test(text, secret)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
      )
    }
  })
})

describe('a record from outside', () => {
  it('has no way to a prototype', () => {
    const plain = createRecord({ id: '1', attributes: { a: {} as never }, body: {} as never })
    for (const key of ['__proto__', 'constructor', 'toString']) {
      expect(test(`attributes["${key}"] == nil and attributes["a"]["${key}"] == nil`, plain)).toBe(true)
      expect(test(`body["${key}"] == nil`, plain)).toBe(true)
    }
    expect(test('ParseJSON("{\\"__proto__\\": 1}")["__proto__"] == 1')).toBe(true)
  })

  it('has an empty body told from a missing one', () => {
    expect(test('IsMatch(body, "^$")', createRecord({ id: '1', body: '' }))).toBe(true)
    expect(test('IsMatch(body, "")', createRecord({ id: '1' }))).toBe(false)
    expect(test('body == nil', createRecord({ id: '1' }))).toBe(true)
  })
})

describe('contexts and clocks', () => {
  it('start paths without prefix at the context', () => {
    const resource = compileCondition('attributes["service.name"] == "shop"', { context: 'resource' })
    const scope = compileCondition('name == "logger" and resource.schema_url != ""', { context: 'scope' })
    expect(resource.test(record) && scope.test(record)).toBe(true)
    expect(() => compileCondition('severity_number == 1', { context: 'resource' })).toThrow(
      'belongs to a record',
    )
    expect(() => compileCondition('log.body == "x"', { context: 'resource' })).toThrow('belongs to a record')
  })

  it('know the time only where a clock is given', () => {
    let now = 1_000_000_000n
    const condition = compileCondition('UnixSeconds(Now()) == 2', { now: () => now })
    expect(condition.test(record)).toBe(false)
    now = 2_500_000_000n
    expect(condition.test(record)).toBe(true)
    expect(() => compileCondition('UnixSeconds(Now()) == 2')).toThrow('there is no converter Now')
  })
})

it('looks once at what it names, and at nothing else: a field is decoded when it is asked for', () => {
  const asked: string[] = []
  const watched = new Proxy(record, {
    get(target, name) {
      asked.push(String(name))
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  expect(compileCondition('attributes["alert"]["skip_webhook"] == false').test(watched)).toBe(true)
  expect(asked.filter(name => name !== 'lacksAttribute')).toEqual(['attributes'])
})
