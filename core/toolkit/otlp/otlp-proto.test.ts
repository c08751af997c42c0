import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comparable, otlpRecords } from '../../../test/support/otlp-records.js'
import { runs } from '../../../test/support/property.js'
import type { AnyValue } from '../../model/any-value.js'
import { createRecord, type LogRecord, pickFields } from '../../model/index.js'
import {
  decodeOtlpJson,
  decodeOtlpProto,
  encodeOtlpJson,
  encodeOtlpProto,
  OtlpDecodeError,
  OtlpLimitError,
} from './index.js'
import { MAX_MESSAGES } from './scan.js'
import { WireWriter } from './writer.js'

const decode = (bytes: Uint8Array): LogRecord[] => decodeOtlpProto(bytes).flat()

describe('OTLP protobuf', () => {
  it('gives back every field of every record, in order, in both encodings and across them', () => {
    fc.assert(
      fc.property(otlpRecords, records => {
        const wanted = records.map(comparable)
        const bytes = encodeOtlpProto(records)
        const back = decode(bytes)
        expect(back.map(comparable)).toEqual(wanted)
        expect(encodeOtlpProto(back), 'untouched records go out as they came').toEqual(bytes)
        const json = decodeOtlpJson(encodeOtlpJson(back), { id: String })
        expect(json.map(comparable)).toEqual(wanted)
        expect(decode(encodeOtlpProto(json)).map(comparable)).toEqual(wanted)
        const touched = back.map(record => record.patch({}))
        expect(decode(encodeOtlpProto(touched)).map(comparable)).toEqual(wanted)
      }),
      runs(300, 40),
    )
  })

  it('answers single fields without decoding the rest as it answers all of them', () => {
    fc.assert(
      fc.property(otlpRecords, records => {
        for (const record of decode(encodeOtlpProto(records))) {
          const plain = record.patch({})
          const [again] = decode(encodeOtlpProto([plain])) as [LogRecord]
          expect(again.body).toEqual(plain.body)
          expect(Buffer.from(again.bodyBytes())).toEqual(Buffer.from(plain.bodyBytes()))
          expect(again.time).toBe(plain.time)
          expect(again.severityNumber).toBe(plain.severityNumber)
        }
      }),
      runs(),
    )
  })

  it('makes a batch of each scope and shares its resource among scopes', () => {
    const bytes = build(writer => {
      writer.message(1, () => {
        for (const name of ['a', 'b', 'none']) {
          writer.message(2, () => {
            if (name !== 'none') for (let n = 0; n < 2; n++) writer.message(2, () => writer.text(3, name))
            // Fields may come in any order.
            writer.message(1, () => writer.text(1, name))
          })
        }
        writer.message(1, () => pair(writer, 'host', 'x'))
        writer.text(3, 'https://schema')
      })
    })
    const batches = decodeOtlpProto(bytes)
    expect(
      batches.map(records => records.map(({ scope, severityText }) => [scope.name, severityText])),
    ).toEqual([
      [
        ['a', 'a'],
        ['a', 'a'],
      ],
      [
        ['b', 'b'],
        ['b', 'b'],
      ],
    ])
    const resources = new Set(batches.flat().map(record => record.resource))
    expect([...resources]).toMatchObject([{ attributes: { host: 'x' }, schemaUrl: 'https://schema' }])
    expect(new Set(batches[0]?.map(record => record.scope)).size).toBe(1)
  })

  it('gives ids that only the same request repeats', () => {
    const bytes = encodeOtlpProto([createRecord({ id: '', body: 'x' }), createRecord({ id: '', body: 'y' })])
    const ids = decode(bytes).map(record => record.id)
    expect(new Set(ids).size).toBe(2)
    expect(decode(Buffer.from(bytes)).map(record => record.id)).toEqual(ids)
    const other = encodeOtlpProto([createRecord({ id: '', body: 'x' }), createRecord({ id: '', body: 'z' })])
    expect(decode(other)[0]?.id).not.toBe(ids[0])
  })

  it('takes when it arrived for the time of a record without one, and keeps that out of its fields', () => {
    const [record] = decodeOtlpProto(encodeOtlpProto([createRecord({ id: '', body: 'x' })]), {
      arrived: 7n,
    }).flat()
    expect([record?.time, record?.with('body', 'y').time]).toEqual([7n, 7n])
    expect([record?.timestamp, record?.observedTimestamp]).toEqual([0n, 0n])
    const json = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}'
    expect(decodeOtlpJson(json, { id: String, arrived: 8n })[0]?.time).toBe(8n)
  })

  it('ignores fields that it does not know, in every message and of every wire type', () => {
    const unknown = (writer: WireWriter): void => {
      writer.tag(1_000, 0)
      writer.varint64(-1n)
      writer.fixed64(1_001, 1n)
      writer.fixed32(1_002, 1)
      writer.text(1_003, 'x'.repeat(200))
    }
    const bytes = build(writer => {
      unknown(writer)
      writer.message(1, () => {
        unknown(writer)
        writer.message(2, () => {
          unknown(writer)
          writer.message(2, () => {
            unknown(writer)
            writer.message(5, () => {
              unknown(writer)
              writer.text(1, 'body')
            })
            // A field that is known, of another wire type.
            writer.fixed64(3, 7n)
            writer.tag(1, 0)
            writer.varint(9)
          })
        })
      })
    })
    const [record] = decode(bytes)
    expect(record?.body).toBe('body')
    expect(record).toMatchObject({ severityText: '', timestamp: 0n })
    expect(encodeOtlpProto([record as LogRecord]).includes('xxxx')).toBe(true)
  })

  it('treats invalid ids as absent', () => {
    for (const size of [0, 1, 8, 15, 17, 32]) {
      expect(only(writer => writer.raw(9, Buffer.alloc(size, 1))).traceId).toBe('')
    }
    expect(only(writer => writer.raw(9, Buffer.alloc(16))).traceId).toBe('')
    expect(only(writer => writer.raw(10, Buffer.alloc(8, 0xab))).spanId).toBe('abababababababab')
  })

  it('copies bytes: what is decoded does not change with the request', () => {
    const bytes = encodeOtlpProto([createRecord({ id: '', body: Uint8Array.from([1, 2, 3]) })])
    const kept = pickFields(decode(bytes)[0] as LogRecord)
    bytes.fill(0xff)
    expect([...(kept.body as Uint8Array)]).toEqual([1, 2, 3])
  })

  it('takes 100 levels and refuses 101, of this record alone', () => {
    const nested = (levels: number): AnyValue => (levels === 1 ? 'x' : [nested(levels - 1)])
    const maps = (levels: number): AnyValue => (levels === 1 ? 'x' : { k: maps(levels - 1) })
    const records = [nested(100), nested(101), maps(100), maps(101), nested(1_000)].map(body =>
      createRecord({ id: '', body }),
    )
    const bytes = encodeOtlpProto(records)
    const unfit: [number, string][] = []
    const batches = decodeOtlpProto(bytes, { onUnfit: (...each) => unfit.push(each) })
    expect(batches.flat().map(record => record.id.replace(/.*\//, ''))).toEqual(['0', '2'])
    expect(unfit.map(([index]) => index)).toEqual([1, 3, 4])
    expect(unfit[0]?.[1]).toMatch(/deeper than 100/)
    expect(() => decode(bytes)).toThrow(OtlpDecodeError)
  })

  it('refuses text that is not UTF-8: of this record alone, or of the request', () => {
    const bad = Uint8Array.from([0x61, 0xc3, 0x28])
    const places: ((writer: WireWriter) => void)[] = [
      writer => writer.raw(3, bad),
      writer => writer.message(5, () => writer.raw(1, bad)),
      writer => writer.message(6, () => writer.raw(1, bad)),
      writer => writer.message(6, () => writer.message(2, () => writer.raw(1, bad))),
      writer => writer.raw(12, bad),
    ]
    for (const place of places) {
      const unfit: string[] = []
      const bytes = request(place, writer => writer.text(3, 'good'))
      const good = decodeOtlpProto(bytes, { onUnfit: (_, reason) => unfit.push(reason) }).flat()
      expect(good.map(record => record.severityText)).toEqual(['good'])
      expect(unfit).toEqual([expect.stringMatching(/not UTF-8/)])
    }
    const inUrl = build(writer => writer.message(1, () => writer.raw(3, bad)))
    expect(() => decodeOtlpProto(inUrl, { onUnfit: () => {} })).toThrow(/not UTF-8/)
    const inKey = build(writer =>
      writer.message(1, () => writer.message(1, () => writer.message(1, () => writer.raw(1, bad)))),
    )
    expect(() => decodeOtlpProto(inKey, { onUnfit: () => {} })).toThrow(/not UTF-8/)
  })

  it.each([
    ['a length beyond the end', [0x0a, 0x05, 0x00]],
    ['a length of 4 GiB', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a length that is no 32-bit number', [0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
    ['a length that does not end', [0x0a, 0x80]],
    ['a tag that does not end', [0x80]],
    ['a number of more than 64 bits', [0x10, ...new Array(11).fill(0x80)]],
    ['field 0', [0x02, 0x00]],
    ['a group', [0x0b, 0x0c]],
    ['the end of a group', [0x0c]],
    ['wire type 6', [0x0e]],
    ['a fixed64 that is cut off', [0x09, 1, 2, 3]],
    ['a scope beyond its resource', [0x0a, 0x03, 0x12, 0x05, 0x00, 0, 0, 0, 0]],
    ['plain text', [...Buffer.from('hello, is this the collector?')]],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeOtlpProto(Uint8Array.from(bytes), { onUnfit: () => {} })).toThrow(OtlpDecodeError)
  })

  it('bounds the records and values of a request', () => {
    const inner = Buffer.alloc(2 * (MAX_MESSAGES + 1))
    for (let at = 0; at < inner.length; at += 2) inner[at] = 0x12
    const bytes = build(writer => writer.message(1, () => writer.raw(2, inner)))
    expect(() => decode(bytes)).toThrow(OtlpLimitError)
    const values = build(writer =>
      writer.message(1, () =>
        writer.message(2, () =>
          writer.message(2, () => {
            for (let at = 0; at < inner.length; at += 2) inner[at] = 0x0a
            writer.message(5, () => writer.raw(5, inner))
          }),
        ),
      ),
    )
    expect(() => decode(values)).toThrow(OtlpLimitError)
  })

  it('survives any bytes', () => {
    const valid = fc.sample(otlpRecords, 50).map(encodeOtlpProto)
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 })
    const input = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(fc.constantFrom(...valid), flips, fc.nat()).map(([source, changes, cut]) => {
        const bytes = Buffer.from(source)
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
        return bytes.subarray(0, bytes.length - (cut % 3 === 0 ? cut % (bytes.length + 1) : 0))
      }),
    )
    fc.assert(
      fc.property(input, bytes => {
        try {
          const records = decodeOtlpProto(bytes, { onUnfit: () => {} }).flat()
          // What passed the walk decodes.
          for (const record of records) pickFields(record)
          decode(encodeOtlpProto(records.map(record => record.patch({}))))
        } catch (error) {
          if (!(error instanceof OtlpDecodeError)) throw error
        }
      }),
      runs(3_000, 300),
    )
  })
})

function build(write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter()
  write(writer)
  return writer.bytes()
}

/** A request with these records. */
function request(...records: ((writer: WireWriter) => void)[]): Buffer {
  return build(writer =>
    writer.message(1, () =>
      writer.message(2, () => {
        for (const record of records) writer.message(2, () => record(writer))
      }),
    ),
  )
}

function only(write: (writer: WireWriter) => void): LogRecord {
  return decode(request(write))[0] as LogRecord
}

function pair(writer: WireWriter, key: string, value: string): void {
  writer.message(1, () => {
    writer.text(1, key)
    writer.message(2, () => writer.text(1, value))
  })
}
