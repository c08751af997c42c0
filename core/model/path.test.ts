import { describe, expect, it } from 'vitest'
import { compilePath, createRecord, fromJson, PathError, toJson } from './index.js'

const record = createRecord({
  id: '1',
  timestamp: 5n,
  body: { level: 'info' },
  severityNumber: 9,
  traceId: '0102030405060708090a0b0c0d0e0f10',
  attributes: fromJson({ 'user.name': 'x', user: { id: 7 }, list: [{ a: 1 }, 2], 'a.b': { c: 1 } }) as never,
  resource: { attributes: fromJson({ host: 'h' }) as never, droppedAttributesCount: 1, schemaUrl: 's' },
})

describe('a path', () => {
  it.each([
    ['body["level"]', 'info'],
    ['body.level', 'info'],
    ['body.string', '{"level":"info"}'],
    ['log.body["level"]', 'info'],
    ['attributes["user.name"]', 'x'],
    ['attributes.user.name', 'x'],
    ['attributes.user.id', 7n],
    ["attributes['user']['id']", 7n],
    ['attributes["list"][0]["a"]', 1n],
    ['attributes["list"][9]', undefined],
    ['attributes["user"][0]', undefined],
    ['attributes["none"]["x"]', undefined],
    ['attributes["toString"]', undefined],
    ['severity_number', 9n],
    ['severity_text', ''],
    ['time', 5n],
    ['time_unix_nano', 5n],
    ['trace_id', '0102030405060708090a0b0c0d0e0f10'],
    ['trace_id.string', '0102030405060708090a0b0c0d0e0f10'],
    ['span_id', ''],
    ['resource.attributes["host"]', 'h'],
    ['resource.schema_url', 's'],
    ['resource.dropped_attributes_count', 1n],
    ['instrumentation_scope.name', ''],
  ])('%s reads %o', (path, expected) => {
    expect(record.get(path)).toEqual(expected)
  })

  it.each([
    ['body.level', 'warn', { level: 'warn' }, 'body'],
    ['body.string', 'text', 'text', 'body'],
    ['severity_number', 17n, 17n, 'severity_number'],
    ['attributes["list"][1]', true, true, 'attributes["list"][1]'],
    ['attributes["new"]["deep"]', 1n, 1n, 'attributes["new"]["deep"]'],
    ['trace_id', Buffer.alloc(16, 1), '01'.repeat(16), 'trace_id'],
    ['span_id', '0000000000000000', '', 'span_id'],
    ['resource.attributes["host"]', 'g', 'g', 'resource.attributes["host"]'],
    ['scope.name', 'n', 'n', 'scope.name'],
  ])('%s can be set', (path, value, expected, at) => {
    const before = toJson(record.attributes)
    const read = record.with(path, value).get(at)
    expect(typeof expected === 'object' ? toJson(read) : read).toEqual(expected)
    expect(toJson(record.attributes)).toEqual(before)
  })

  it.each([
    ['attributes["user.name"]["x"]', 1n],
    ['attributes["list"][9]', 1n],
    ['severity_text', 1n],
    ['severity_number', -1n],
    ['attributes', 'text'],
    ['trace_id', 'xyz'],
    ['time', 'now'],
  ])('%s refuses a wrong value', (path, value) => {
    expect(() => record.with(path, value)).toThrow(PathError)
  })

  it.each(['', 'host', 'body[', 'severity_text["a"]', 'resource', 'attributes..a', '"a"'])(
    '%o is none',
    path => {
      expect(() => compilePath(path)).toThrow(PathError)
    },
  )
})
