import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { otlpRecords } from '../../../test/support/otlp-records.js'
import { runs } from '../../../test/support/property.js'
import { createRecord, newMap, type Records } from '../../model/index.js'
import { encodeOtlpProto } from './index.js'
import { QuickRecords } from './quick-records.js'
import { decodeOtlpProto } from './request.js'
import { MAX_MESSAGES, WireScan } from './scan.js'
import type { WireRecord } from './wire-record.js'

const plain = createRecord({
  id: '',
  timestamp: 1n,
  observedTimestamp: 2n,
  severityNumber: 9,
  severityText: 'INFO',
  body: 'GET /api/orders 200 from the cache of the region, grüße 🎉 '.repeat(4),
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

/** The records as they stand in a ScopeLogs: each with its tag. */
function wireOf(records: Records): Buffer[] {
  return decodeOtlpProto(encodeOtlpProto(records))
    .flat()
    .map(record => tagged((record as WireRecord).wire))
}

function tagged(wire: Uint8Array): Buffer {
  const { length } = wire
  const size = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7]
  return Buffer.concat([Buffer.of(0x12, ...size), wire])
}

function noted(scan: WireScan) {
  const { at, messages, timeAt, observedAt, severity, textAt, textEnd } = scan
  return { at, messages, timeAt, observedAt, severity, textAt, textEnd }
}

/** How many of the records at `from` were taken; each must be noted as by the reference, and the first that is not as nothing. */
function compare(bytes: Buffer, from = 0, end = bytes.length): number {
  const quick = new WireScan(bytes)
  const slow = new WireScan(bytes)
  const records = new QuickRecords(quick)
  quick.at = from
  slow.at = from
  for (let taken = 0; ; taken++) {
    const before = noted(quick)
    if (quick.at >= end || bytes[quick.at] !== 0x12 || !records.record(end)) {
      expect(noted(quick), 'it notes nothing').toEqual(before)
      return taken
    }
    slow.tag(end)
    const stop = slow.length(end)
    expect(records.start).toBe(slow.at)
    slow.record(stop)
    expect(noted(quick)).toEqual(noted(slow))
  }
}

it('takes the records that most are', () => {
  const many = wireOf(Array(300).fill(plain))
  expect(compare(Buffer.concat(many))).toBe(300)
  expect(compare(Buffer.concat([...many, Buffer.of(0x12, 0)]))).toBe(301)
})

it('leaves the records to another that it does not know, and goes on behind them', () => {
  const [known] = wireOf([plain]) as [Buffer]
  const [other] = wireOf([createRecord({ id: '', body: ['a', 'list'] })]) as [Buffer]
  const bytes = Buffer.concat([...Array(9).fill(known), other, known])
  expect(compare(bytes)).toBe(9)
  expect(compare(bytes, 9 * known.length)).toBe(0)
  expect(compare(bytes, 9 * known.length + other.length)).toBe(1)
})

it('notes what the walk field by field does, whatever records are made of', () => {
  const around = fc.tuple(otlpRecords, fc.nat(20))
  fc.assert(
    fc.property(around, ([records, before]) => {
      const wires = wireOf(records)
      compare(Buffer.concat([Buffer.alloc(before), ...wires]), before)
      for (const wire of wires) compare(wire)
    }),
    runs(),
  )
})

it('takes nothing that the walk field by field refuses: changed bytes, cut off anywhere', () => {
  const wire = Buffer.concat(wireOf([plain, plain]))
  const at = fc.nat(wire.length - 1)
  const change = fc.tuple(at, fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 8, 0x0a, 0x12, 0x7f, 0x80, 0xff)))
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3 }), fc.nat(wire.length), (changes, end) => {
      const bytes = Buffer.from(wire)
      for (const [index, byte] of changes) bytes[index] = byte
      // With bytes of a neighbour behind it, and as the last ones.
      compare(bytes, 0, end)
      compare(bytes.subarray(0, end))
    }),
    runs(6_000, 3_000),
  )
})

it('takes for UTF-8 what Node.js does', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary' }).map(text => Buffer.from(text)),
    fc.uint8Array({ maxLength: 4 }),
    fc
      .constantFrom(
        'c080',
        'e0a080',
        'e09fbf',
        'ed9fbf',
        'eda080',
        'f0908080',
        'f08fbfbf',
        'f48fbfbf',
        'f4908080',
      )
      .map(hex => Buffer.from(hex, 'hex')),
    fc.nat(40).map(length => Buffer.alloc(length, 'a')),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), parts => {
      const text = Buffer.concat(parts).subarray(0, 120)
      const wire = Buffer.concat([Buffer.of(0x1a, text.length), text])
      const slow = new WireScan(wire)
      let isText = true
      try {
        slow.record(wire.length)
      } catch {
        isText = false
      }
      expect(compare(tagged(wire))).toBe(isText ? 1 : 0)
    }),
    runs(3_000, 1_000),
  )
})

it('counts towards the limit of messages', () => {
  const [wire] = wireOf([plain]) as [Buffer]
  for (const [room, taken] of [
    [11, true],
    [10, false],
  ] as const) {
    const scan = new WireScan(wire)
    scan.messages = MAX_MESSAGES - room
    expect(new QuickRecords(scan).record(wire.length)).toBe(taken)
  }
})

it('runs what its source compiles to', () => {
  const at = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8')
  const digest = createHash('sha256').update(at('wasm/scan-records.ts')).digest('hex')
  // Else: node scripts/wasm.mjs.
  expect(at('scan-records-code.ts')).toContain(digest)
})
