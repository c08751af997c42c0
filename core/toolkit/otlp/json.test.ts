import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comparable, otlpRecords } from '../../../test/support/otlp-records.js'
import { runs } from '../../../test/support/property.js'
import type { AnyValue } from '../../model/any-value.js'
import { createRecord, pickFields } from '../../model/create-record.js'
import type { LogRecord } from '../../model/log-record.js'
import { decodeOtlpJson, encodeOtlpJson, OtlpDecodeError } from './json.js'

const id = (index: number): string => `r${index}`
const decode = (input: unknown): LogRecord[] =>
  decodeOtlpJson(typeof input === 'string' ? input : JSON.stringify(input), { id })

/** A request with one record. */
const request = (record: object): object => ({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] })
const only = (record: object): LogRecord => decode(request(record))[0] as LogRecord
const value = (json: unknown): AnyValue => only({ body: json }).body

describe('OTLP JSON', () => {
  it('gives back every field of every record, in order', () => {
    fc.assert(
      fc.property(otlpRecords, records => {
        const json = encodeOtlpJson(records)
        expect(json).not.toContain('\n')
        const back = decodeOtlpJson(Buffer.from(json), { id })
        expect(back.map(comparable)).toEqual(records.map(comparable))
        expect(back.map(record => record.id)).toEqual(records.map((_, index) => id(index)))
      }),
      runs(300, 40),
    )
  })

  it('takes an integer beyond 64 bits for a double, and a time beyond them for none: the record stays', () => {
    // @opentelemetry/otlp-transformer 0.223 writes every whole number as an integer: 1e21 as "intValue":1e+21.
    for (const [intValue, expected] of [
      [1e21, 1e21],
      ['1e21', 1e21],
      ['9223372036854775808', 2 ** 63],
      ['-9223372036854775809', -(2 ** 63)],
      ['9223372036854775807', 2n ** 63n - 1n],
    ]) {
      const record = only({ body: { stringValue: 'text' }, attributes: [{ key: 'n', value: { intValue } }] })
      expect([record.body, record.attributes.n]).toEqual(['text', expected])
    }
    const late = only({
      timeUnixNano: '99999999999999999999',
      observedTimeUnixNano: 1e25,
      body: { stringValue: 'x' },
    })
    expect([late.body, late.timestamp, late.observedTimestamp]).toEqual(['x', 0n, 0n])
  })

  it('shares one resource and scope among neighbours', () => {
    const [a, b] = [createRecord({ id: 'a', body: 'x' }), createRecord({ id: 'b', body: 'y' })]
    expect(JSON.parse(encodeOtlpJson([a, b]))).toEqual({
      resourceLogs: [
        {
          resource: {},
          scopeLogs: [
            { scope: {}, logRecords: [{ body: { stringValue: 'x' } }, { body: { stringValue: 'y' } }] },
          ],
        },
      ],
    })
  })

  it('writes what the specification asks for', () => {
    const record = createRecord({
      id: 'a',
      timestamp: 1_544_712_660_000_000_001n,
      severityNumber: 9,
      body: [2n ** 63n - 1n, Number.NaN, Number.NEGATIVE_INFINITY, -0, new Uint8Array([255])],
      traceId: '5b8efff798038103d269b633813fc60c',
    })
    expect(JSON.parse(encodeOtlpJson([record])).resourceLogs[0].scopeLogs[0].logRecords[0]).toEqual({
      timeUnixNano: '1544712660000000001',
      severityNumber: 9,
      traceId: '5b8efff798038103d269b633813fc60c',
      body: {
        arrayValue: {
          values: [
            { intValue: '9223372036854775807' },
            { doubleValue: 'NaN' },
            { doubleValue: '-Infinity' },
            { doubleValue: '-0' },
            { bytesValue: '/w==' },
          ],
        },
      },
    })
  })

  it('reads snake_case, null, numbers for strings and names for numbers; ignores what it does not know', () => {
    const [record] = decode({
      resource_logs: [
        {
          resource: { attributes: null, dropped_attributes_count: '3', entity_refs: [] },
          schema_url: 'r',
          scope_logs: [
            {
              scope: null,
              schema_url: 's',
              log_records: [
                {
                  time_unix_nano: 1,
                  observed_time_unix_nano: '2',
                  severity_number: 'SEVERITY_NUMBER_ERROR2',
                  severity_text: 'E',
                  trace_id: '5B8EFFF798038103D269B633813FC60C',
                  span_id: 'eee19b7ec3c1b174',
                  event_name: 'n',
                  flags: '1',
                  body: { array_value: { values: [{ int_value: 7 }, { double_value: '1.5' }, {}] } },
                  attributes: [{ key: 'k', value: { bytes_value: '_-8' } }, { key: 'none' }],
                  news: { of: 'tomorrow' },
                },
              ],
            },
          ],
        },
      ],
    })
    expect(record && pickFields(record)).toMatchObject({
      timestamp: 1n,
      observedTimestamp: 2n,
      severityNumber: 18,
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      eventName: 'n',
      flags: 1,
      body: [7n, 1.5, null],
      resource: { droppedAttributesCount: 3, schemaUrl: 'r' },
      scope: { name: '', schemaUrl: 's' },
    })
    expect(record?.get('attributes["k"]')).toEqual(Buffer.from([255, 239]))
    expect(record?.get('attributes["none"]')).toBeNull()
  })

  it('keeps long integers that come as JSON numbers, and leaves text alone that looks like them', () => {
    const json = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano" : 1544712660123456789,
      "body":{"arrayValue":{"values":[{"intValue":9223372036854775807},{"intValue": -9223372036854775808 },
      {"stringValue":"\\"intValue\\":9223372036854775807}"}]}}}]}]}]}`
    const [record] = decode(json)
    expect(record?.timestamp).toBe(1_544_712_660_123_456_789n)
    expect(record?.body).toEqual([2n ** 63n - 1n, -(2n ** 63n), '"intValue":9223372036854775807}'])
  })

  it('reads integers with an exponent, and numbers as text', () => {
    expect(value({ intValue: '1e3' })).toBe(1000n)
    expect(value({ intValue: 1e3 })).toBe(1000n)
    expect(value({ doubleValue: '-2.5E-3' })).toBe(-0.0025)
  })

  it('answers single fields without decoding the rest as it answers all of them', () => {
    const some = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
    const scalars = some<unknown>(
      { stringValue: 'x' },
      { intValue: '-7' },
      { intValue: 5 },
      { boolValue: true },
      { doubleValue: 0.5 },
      { stringValue: 'x', intValue: '1' },
      { stringValue: null },
      { stringValue: 5 },
      { intValue: '' },
      { intValue: 0.5 },
      { doubleValue: 'x' },
      { bytesValue: 'AQ==' },
      { arrayValue: { values: [{}] } },
      {},
      [],
      null,
      7,
    )
    const times = some<unknown>('1', '1768471200000000001', '18446744073709551616', '', '-1', 5, -0, null)
    const numbers = some<unknown>(9, -0, -1, 2 ** 31, 2 ** 40, 1.5, '9', 'SEVERITY_NUMBER_WARN', null)
    const texts = some<unknown>('t', '', 5, null)
    const records = fc.record({
      timeUnixNano: times,
      observedTimeUnixNano: times,
      severityNumber: numbers,
      flags: numbers,
      severityText: texts,
      eventName: texts,
      traceId: some<unknown>('5B8EFFF798038103D269B633813FC60C', 'x', 5),
      body: scalars,
      attributes: fc.option(
        fc.array(fc.record({ key: some<unknown>('k', 'k', 5, null), value: scalars }), { maxLength: 2 }),
      ),
    })
    const outcome = (record: object, read: (record: LogRecord) => unknown): unknown => {
      try {
        return read(only(record))
      } catch (error) {
        expect(error).toBeInstanceOf(OtlpDecodeError)
        return (error as Error).message
      }
    }
    fc.assert(
      fc.property(records, record => {
        // A field that is not known makes it look at everything.
        const wanted = outcome({ ...record, news: 1 }, comparable)
        expect(outcome(record, comparable)).toEqual(wanted)
        for (const name of ['timestamp', 'severityNumber', 'body', 'time'] as const)
          expect(outcome(record, one => one[name])).toEqual(
            outcome({ ...record, news: 1 }, one => pickFields(one) && one[name]),
          )
        expect(outcome(record, one => one.bodyBytes())).toEqual(
          outcome({ ...record, news: 1 }, one => one.bodyBytes()),
        )
      }),
      runs(150),
    )
  })

  it('treats invalid ids as absent', () => {
    for (const traceId of ['', 'xyz', '0'.repeat(32), 'a'.repeat(31), 'W47/95gDgQPSabYzgT/GDA==', 5]) {
      expect(only({ traceId, spanId: traceId })).toMatchObject({ traceId: '', spanId: '' })
    }
  })

  it('takes 100 levels and refuses 101', () => {
    const nested = (levels: number): object =>
      levels === 1 ? { stringValue: 'x' } : { arrayValue: { values: [nested(levels - 1)] } }
    expect(value(nested(100))).toBeDefined()
    expect(() => value(nested(101))).toThrow(/deeper than 100/)
    const maps = (levels: number): object =>
      levels === 1 ? {} : { kvlistValue: { values: [{ key: 'k', value: maps(levels - 1) }] } }
    expect(() => only({ attributes: [{ key: 'a', value: maps(101) }] })).toThrow(OtlpDecodeError)
  })

  it.each([
    ['not JSON', '{'],
    ['not UTF-8', Uint8Array.from([0x7b, 0xff, 0x7d])],
    ['no object', '[]'],
    ['a list that is none', '{"resourceLogs":{}}'],
    ['an entry that is none', '{"resourceLogs":[7]}'],
    ['an integer with a fraction', JSON.stringify(request({ body: { intValue: 1.5 } }))],
    ['a time before 1970', JSON.stringify(request({ timeUnixNano: '-1' }))],
    ['a double that is a word', JSON.stringify(request({ body: { doubleValue: 'many' } }))],
    ['a text that is a number', JSON.stringify(request({ severityText: 5 }))],
    ['a double in hexadecimal', JSON.stringify(request({ body: { doubleValue: '0x10' } }))],
    ['base64 that is none', JSON.stringify(request({ body: { bytesValue: '!!!' } }))],
    ['nesting all over', `{"resourceLogs":${'['.repeat(500_000)}${']'.repeat(500_000)}}`],
    ['a text that nests', `{"resourceLogs":[{"schemaUrl":${'['.repeat(500_000)}${']'.repeat(500_000)}}]}`],
  ])('refuses %s', (_, input) => {
    expect(() => decodeOtlpJson(input, { id })).toThrow(OtlpDecodeError)
  })

  it('never throws anything but OtlpDecodeError', () => {
    const names = fc.constantFrom('resourceLogs', 'scopeLogs', 'logRecords', 'body', 'attributes', 'values')
    const kinds = fc.constantFrom('stringValue', 'intValue', 'arrayValue', 'kvlistValue', 'key', 'value')
    const { json } = fc.letrec<{ json: unknown }>(tie => ({
      json: fc.oneof(
        fc.jsonValue(),
        fc.array(tie('json'), { maxLength: 2 }),
        fc.dictionary(fc.oneof(names, kinds), tie('json')),
      ),
    }))
    fc.assert(
      fc.property(json, input => {
        try {
          decode({ resourceLogs: [{ scopeLogs: [{ logRecords: [input] }] }] })
        } catch (error) {
          if (!(error instanceof OtlpDecodeError)) throw error
        }
      }),
      runs(),
    )
  })
})
