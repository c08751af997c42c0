import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { decodeLine, type Line } from './line.js'

const decode = (text: string) => decodeLine(Buffer.from(text)) as Line

describe('decodeLine', () => {
  it('gives a line the same identity whatever the order of its fields and the escapes of its text', () => {
    const a = decode('{"_time":"2026-01-15T10:00:00.000000001Z","_msg":"it\'s <b>","app":"x"}')
    const b = decode('{"app":"x","_msg":"it\\u0027s \\u003cb>","_time":"2026-01-15T10:00:00.000000001Z"}')
    expect(a.identity).toBe(b.identity)
    expect(a.time).toBe(BigInt(Date.parse('2026-01-15T10:00:00Z')) * 1_000_000n + 1n)
  })

  it('gives other lines other identities', () => {
    const texts = [
      '{}',
      '{"a":"bc"}',
      '{"ab":"c"}',
      '{"a":"b","c":""}',
      '{"a":1}',
      '{"a":"1"}',
      '{"a":null}',
      '{"a":"1:b1:c"}',
    ]
    expect(new Set(texts.map(text => decode(text).identity)).size).toBe(texts.length)
  })

  it('never throws, and says what is wrong', () => {
    expect(decodeLine(Buffer.from([0xc3]))).toBe('invalid_utf8')
    for (const text of ['', 'null', '7', '"x"', '[{}]', '{"a":', '{} {}']) {
      expect(decodeLine(Buffer.from(text))).toBe('invalid_json')
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        const line = decodeLine(Buffer.from(bytes))
        if (typeof line === 'object') expect(line.identity).toHaveLength(43)
      }),
      runs(),
    )
  })

  it('refuses what is nested so deeply that reading it would run out of stack', () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
    expect(decodeLine(Buffer.from(nested(500_000)))).toBe('invalid_json')
    expect(decode(nested(50)).fields.a).toBeDefined()
  })

  it('takes a line without a time, or with none that is one', () => {
    expect(decode('{"_msg":"x"}').time).toBeUndefined()
    expect(decode('{"_time":"yesterday"}').time).toBeUndefined()
    expect(decode('{"_time":5}').time).toBeUndefined()
  })
})
