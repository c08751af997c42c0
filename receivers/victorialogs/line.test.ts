import fc from 'fast-check'
import { createRecord, parseRfc3339, pickFields } from 'tocsin/component'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { decodeLine, type Line, MAX_LINE_BYTES, scanLine } from './line.js'
import { LineBlock } from './line-block.js'
import { LineHash } from './line-hash.js'
import { VictoriaLogsRecord } from './record.js'

const hash = new LineHash([1, 2])
const scan = (text: string) => scanLine(Buffer.from(text), hash) as Line
const recordOf = (line: Line) => new VictoriaLogsRecord(LineBlock.of(line.bytes, line), 0).identify(1n, 0)
const hashOf = (text: string) => {
  const { high, low } = scan(text)
  return `${high}.${low}`
}

describe('scanLine', () => {
  it('gives a line the same hash whatever the order of its fields and the escapes of its text', () => {
    const a = '{"_time":"2026-01-15T10:00:00.000000001Z","_msg":"it\'s <b>","app":"x"}'
    const b = '{"app":"x","_msg":"it\\u0027s \\u003cb>","_time":"2026-01-15T10:00:00.000000001Z"}'
    expect(hashOf(a)).toBe(hashOf(b))
    expect(hashOf(a)).toBe(hashOf(`  ${b.replaceAll(',', ' , ')}`))
    expect(scan(a).time).toBe(BigInt(Date.parse('2026-01-15T10:00:00Z')) * 1_000_000n + 1n)
  })

  it('finds the hash that any other way of writing the fields has', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'é', '🚀', '"', '\\', '\n', '\u0001', '\u007f', '<', "'", '/'),
    })
    fc.assert(
      fc.property(fc.dictionary(text, text, { maxKeys: 6 }), fc.array(fc.nat(9)), (fields, shuffle) => {
        const entries = Object.entries(fields)
        const turned = [...entries].sort(([a], [b]) => (shuffle[a.length] ?? 0) - (shuffle[b.length] ?? 0))
        const escaped = JSON.stringify(Object.fromEntries(turned)).replace(
          /[</'é\u007f]/g,
          char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
        )
        const indented = JSON.stringify(fields, null, 2).replaceAll('\n', ' ')
        const plain = JSON.stringify(fields)
        expect([hashOf(escaped), hashOf(indented)]).toEqual([hashOf(plain), hashOf(plain)])
        expect(decodeLine(scan(plain).bytes)).toEqual(fields)
      }),
      runs(),
    )
  })

  it('is a view that says what decoding says, however the line is written', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'm', 'é', '🚀', '"', '\\', '\n', '\u0001', '<', "'", '/'),
    })
    const name = fc.oneof(fc.constantFrom('_msg', 'alert', 'a"b', 'é', "it's", '<'), text)
    const value = fc.oneof(text, fc.constant('missing _msg field; see https://docs.victoriametrics.com/x'))
    const field = fc.tuple(name, value, fc.constantFrom(/[</']/g, /[é_]/g, /^$/g))
    fc.assert(
      fc.property(fc.array(field, { maxLength: 6 }), name, fc.boolean(), (fields, asked, spaced) => {
        // Names may come twice, and be written in two ways.
        const parts = fields.map(([key, of, escaped]) =>
          `${JSON.stringify(key)}:${JSON.stringify(of)}`.replace(
            escaped,
            char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
          ),
        )
        const line = scan(`{${parts.join(spaced ? ' , ' : ',')}}`)
        const plain = createRecord({ id: '', ...pickFields(recordOf(line)) })
        const view = recordOf(line)
        expect(Buffer.from(view.bodyBytes()).toString()).toBe(Buffer.from(plain.bodyBytes()).toString())
        if (view.lacksAttribute(asked)) expect(Object.hasOwn(plain.attributes, asked)).toBe(false)
        expect({ ...pickFields(view) }).toEqual({ ...pickFields(plain) })
      }),
      runs(500),
    )
  })

  it('gives other lines other hashes', () => {
    const texts = [
      '{}',
      '{"a":"bc"}',
      '{"ab":"c"}',
      '{"a":"b","c":""}',
      '{"a":1}',
      '{"a":"1"}',
      '{"a":null}',
      '{"a":"1:b1:c"}',
      '{"_stream_idx":"1"}',
    ]
    expect(new Set(texts.map(hashOf)).size).toBe(texts.length)
    const other = scanLine(Buffer.from('{"a":"bc"}'), new LineHash([1, 3])) as Line
    expect(`${other.high}.${other.low}`).not.toBe(hashOf('{"a":"bc"}'))
  })

  it('leaves out what comes and goes: the id of a stream, which may stand there twice, and of a tenant', () => {
    const line = '{"a":"b"}'
    for (const more of [
      '"_stream_id":"01"',
      '"_stream_id":"mine","_stream_id":"01"',
      '"AccountID":"0","ProjectID":"\\u0030"',
      '"_stream\\u005fid":"x"',
    ]) {
      expect(hashOf(`{${more},"a":"b"}`)).toBe(hashOf(line))
    }
  })

  it('never throws, and takes for a line just what JSON takes for an object', () => {
    for (const text of [
      '',
      'null',
      '7',
      '"x"',
      '[{}]',
      '{"a":',
      '{} {}',
      '{"a":"b",}',
      '{"a":"\\x"}',
      '{"a":"\t"}',
    ]) {
      expect(scanLine(Buffer.from(text), hash), text).toBe('invalid_json')
    }
    const piece = fc.constantFrom(
      '{',
      '}',
      '"',
      '"a"',
      ':',
      ',',
      '\\',
      '\\u00',
      '41',
      'é',
      '[',
      ']',
      '1',
      ' ',
      '\n',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), pieces => {
        const text = pieces.join('')
        let fields: unknown
        try {
          fields = JSON.parse(text)
        } catch {}
        const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields)
        const line = scanLine(Buffer.from(text), hash)
        expect(typeof line).toBe(isObject ? 'object' : 'string')
        if (typeof line === 'object') expect(decodeLine(line.bytes)).toEqual(fields)
      }),
      runs(),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        scanLine(Buffer.from(bytes), hash)
      }),
      runs(),
    )
  })

  it('puts U+FFFD for each byte that is not UTF-8', () => {
    const line = scanLine(Buffer.from('{"_msg":"caf\xe9 and \xff","b":"\x80"}', 'latin1'), hash) as Line
    expect(decodeLine(line.bytes)).toEqual({ _msg: 'caf\ufffd and \ufffd', b: '\ufffd' })
    expect([line.repaired, scan('{"_msg":"café"}').repaired]).toEqual([true, false])
  })

  it('measures a line decoded: six bytes on the wire may be one', () => {
    const wire = (char: string, count: number) => Buffer.from(`{"_msg":"${char.repeat(count)}"}`)
    for (const char of ['\\u003c', '<', '\\n']) {
      const room = Math.floor((MAX_LINE_BYTES - 4) / (char === '\\n' ? 2 : 1))
      expect(typeof scanLine(wire(char, room), hash)).toBe('object')
      expect(scanLine(wire(char, room + 1), hash)).toBe('oversized')
    }
  })

  it('refuses what is nested so deeply that reading it would run out of stack', () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
    expect(scanLine(Buffer.from(nested(500_000)), hash)).toBe('invalid_json')
    expect(decodeLine(scan(nested(50)).bytes).a).toBeDefined()
  })

  it('reads every time as parseRfc3339 does', () => {
    const piece = fc.constantFrom(
      '2026-11-28T16:08:09',
      '2026-11-28T16:08:59',
      '2026-02-30T00:00:00',
      '0',
      '.',
      '5',
      'Z',
      'z',
      '+01:00',
      '123456789',
    )
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), pieces => {
        const text = pieces.join('')
        expect(scan(`{"_time":"${text}"}`).time, text).toBe(parseRfc3339(text))
      }),
      runs(),
    )
  })

  it('takes a line without a time, or with none that is one', () => {
    expect(scan('{"_msg":"x"}').time).toBeUndefined()
    expect(scan('{"_time":"yesterday"}').time).toBeUndefined()
    expect(scan('{"_time":5}').time).toBeUndefined()
    // Neither OTLP nor 64 bits of ns have them.
    expect(scan('{"_time":"3026-11-28T16:08:09.5Z"}').time).toBeUndefined()
    expect(scan('{"_time":"1969-12-31T23:59:59.9Z"}').time).toBeUndefined()
    expect(scan('{"\\u005ftime":"1970-01-01T00:00:01Z"}').time).toBe(1_000_000_000n)
  })
})
