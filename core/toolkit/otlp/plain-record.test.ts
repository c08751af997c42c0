import fc from 'fast-check'
import { expect, it } from 'vitest'
import { otlpRecords } from '../../../test/support/otlp-records.js'
import { runs } from '../../../test/support/property.js'
import { createRecord, newMap } from '../../model/index.js'
import { encodeOtlpProto } from './index.js'
import { plainRecord } from './plain-record.js'
import { decodeOtlpProto } from './request.js'
import { MAX_MESSAGES, WireScan } from './scan.js'
import type { WireRecord } from './wire-record.js'

const plain = createRecord({
  id: '',
  timestamp: 1n,
  observedTimestamp: 2n,
  severityNumber: 9,
  severityText: 'INFO',
  body: 'GET /api/orders 200 from the cache of the region, grüße '.repeat(4),
  attributes: newMap([
    ['http.request.method', 'GET'],
    ['http.response.status_code', -200n],
    ['ratio', 0.5],
    ['ok', true],
    ['none', null],
  ]),
  traceId: '0123456789abcdef0123456789abcdef',
  spanId: '0123456789abcdef',
  eventName: 'é',
  flags: 1,
  droppedAttributesCount: 300,
})

function wireOf(records: Parameters<typeof encodeOtlpProto>[0]): Buffer[] {
  return decodeOtlpProto(encodeOtlpProto(records))
    .flat()
    .map(record => Buffer.from((record as WireRecord).wire))
}

function noted(scan: WireScan) {
  const { at, messages, timeAt, observedAt, severity, textAt, textEnd } = scan
  return { at, messages, timeAt, observedAt, severity, textAt, textEnd }
}

/** Whether it was a plain one. */
function compare(bytes: Buffer, end = bytes.length): boolean {
  const quick = new WireScan(bytes)
  const before = noted(quick)
  if (!plainRecord(quick, end, MAX_MESSAGES)) {
    expect(noted(quick), 'it notes nothing').toEqual(before)
    return false
  }
  const slow = new WireScan(bytes)
  slow.anyRecord(end)
  expect(noted(quick)).toEqual(noted(slow))
  return true
}

it('takes the records that most are', () => {
  const [wire] = wireOf([plain]) as [Buffer]
  expect(compare(wire)).toBe(true)
})

it('notes what the walk field by field does, whatever records are made of', () => {
  fc.assert(
    fc.property(otlpRecords, records => {
      for (const wire of wireOf(records)) compare(wire)
    }),
    runs(),
  )
})

it('takes nothing that the walk field by field refuses: changed bytes, cut off anywhere', () => {
  const [wire] = wireOf([plain]) as [Buffer]
  const at = fc.nat(wire.length - 1)
  const change = fc.tuple(at, fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 8, 0x0a, 0x12, 0x7f, 0x80, 0xff)))
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3 }), fc.nat(wire.length), (changes, end) => {
      const bytes = Buffer.from(wire)
      for (const [index, byte] of changes) bytes[index] = byte
      // With bytes of a neighbour behind it, and as the last ones.
      compare(bytes, end)
      compare(bytes.subarray(0, end))
    }),
    runs(3_000, 2_000),
  )
})

it('counts towards the limit of messages', () => {
  const [wire] = wireOf([plain]) as [Buffer]
  const scan = new WireScan(wire)
  scan.messages = MAX_MESSAGES - 11
  expect(plainRecord(scan, wire.length, MAX_MESSAGES)).toBe(true)
  scan.at = 0
  scan.messages = MAX_MESSAGES - 10
  expect(plainRecord(scan, wire.length, MAX_MESSAGES)).toBe(false)
})
