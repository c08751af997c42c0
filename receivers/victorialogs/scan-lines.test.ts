import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { LineSplitter } from 'tocsin/lines'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { type BadLine, decodeLine, type Line, MAX_LINE_BYTES, scanLine } from './line.js'
import { type LineBlock, writtenName } from './line-block.js'
import { LineHash } from './line-hash.js'
import { linesOf, scanLines } from './scan-lines.js'

const hash = new LineHash([0xdead_beef, 0xffff_ffff])

/** What is known of each line, the simple way. */
function plainly(run: Buffer): unknown[] {
  return linesOf(run).map(bytes => told(bytes, scanLine(bytes, hash)))
}

function told(bytes: Buffer, found: Line | BadLine): unknown {
  if (typeof found === 'string') return { bytes: bytes.toString('latin1'), bad: found }
  const { high, low, time, plainNames, repaired } = found
  const text = found.textAt < 0 ? undefined : found.bytes.toString('latin1', found.textAt, found.textEnd)
  return { bytes: found.bytes.toString('latin1'), high, low, time, text, plainNames, repaired }
}

function scanned(run: Buffer): unknown[] {
  return scanLines(run, hash).flatMap(rowsOf)
}

function rowsOf(block: LineBlock): unknown[] {
  return Array.from({ length: block.count }, (_, row) => {
    const bytes = block.line(row).toString('latin1')
    const bad = block.badness(row)
    if (bad !== undefined) return { bytes, bad }
    return {
      bytes,
      high: block.high(row),
      low: block.low(row),
      time: block.isTimed(row) ? block.time(row) : undefined,
      text: block.text(row)?.toString('latin1'),
      plainNames: block.hasPlainNames(row),
      repaired: block.isRepaired(row),
    }
  })
}

const letters = fc.string({
  unit: fc.constantFrom(
    'a',
    'm',
    '_',
    ' ',
    '~',
    '\u007f',
    'é',
    '🚀',
    ':',
    '}',
    ',',
    '"',
    '\\',
    '\n',
    '<',
    "'",
  ),
  maxLength: 40,
})
const time = fc.oneof(
  fc.constantFrom(
    '2026-11-28T16:08:09',
    '2026-02-30T00:00:00',
    '1969-12-31T23:59:59',
    '2026-11-28t16:08:09',
    '3026-11-28T16:08:09',
  ),
  fc.string({ unit: fc.constantFrom('2', '0', '-', ':', 'T', '.'), maxLength: 20 }),
)
const times = fc
  .tuple(
    time,
    fc.constantFrom('', '.5', '.123456789', '.1234567890', '.12x', '.'),
    fc.constantFrom('Z', 'z', '+01:00', ''),
  )
  .map(parts => parts.join(''))
const field = fc.oneof(
  fc.tuple(
    fc.oneof(letters, fc.constantFrom('_msg', '_stream', 'AccountID', 'ProjectID', '_stream_id', '_times')),
    letters,
  ),
  fc.tuple(fc.constant('_time'), times),
  fc.tuple(fc.constant('_msg'), fc.constantFrom('missing', 'm', '')),
)
const line = fc
  .tuple(fc.array(field, { maxLength: 7 }), fc.constantFrom(/[</']/g, /[é_m]/g, /^$/g))
  .map(([fields, escaped]) =>
    Buffer.from(
      `{${fields
        .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
        .join(',')
        .replace(escaped, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}}`,
    ),
  )
/** What a stream may have in place of a line, or of a part of one. */
const odd = fc.oneof(
  fc
    .constantFrom(
      '',
      '{}',
      '{',
      '{"',
      '{"a',
      '{"a"',
      '{"a":',
      '{"a":"b"',
      '{"a":"b\\',
      '{"a":"b",}',
      '{"a":1}',
      '{"a":{"b":[]}}',
    )
    .map(text => Buffer.from(text)),
  fc
    .constantFrom('\r', '\0', '{"a":"b"}\r', '{"a":"\\u00"}', '{"a":"\\x"}', ' {"a":"b"}', '{"a":"b"} ')
    .map(text => Buffer.from(text)),
  fc.uint8Array({ maxLength: 30 }).map(bytes => Buffer.from(bytes)),
)
const torn = fc
  .tuple(line, fc.nat(60), fc.uint8Array({ maxLength: 2 }))
  .map(([bytes, at, put]) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + 1)]))
const ends = fc.constantFrom('\n', '\n', '\r\n', '\n\n').map(text => Buffer.from(text))
const stream = fc
  .array(fc.tuple(fc.oneof({ weight: 3, arbitrary: line }, odd, torn), ends), { maxLength: 12 })
  .map(parts => Buffer.concat(parts.flat()))

describe('scanLines', () => {
  it('knows most names that a line has not, and never misses one that it has', () => {
    const names = ['', 'a', 'é', 'ab', 'app', '_msg', 'alert', 'host.name', 'a"b', '🚀🚀']
    let known = 0
    for (const has of names) {
      const [block] = scanLines(Buffer.from(`{${JSON.stringify(has)}:"x"}`), hash)
      for (const asked of names) {
        const may = (block as LineBlock).mayHave(0, writtenName(asked))
        if (asked === has) expect(may, asked).toBe(true)
        else if (!may) known++
      }
    }
    expect(known).toBe(names.length * (names.length - 1))
  })

  it('finds in a run what `scanLine` finds in each of its lines', () => {
    fc.assert(
      fc.property(stream, run => {
        expect(scanned(run)).toEqual(plainly(run))
      }),
      runs(2_000),
    )
  })

  it('finds the same wherever the stream is cut into chunks', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (bytes, sizes) => {
        // A CR before a line end is taken off once or twice.
        fc.pre(!bytes.includes('\r\r'))
        const splitter = new LineSplitter({ maxLineBytes: 1_000, oversized: 'drop' })
        const found: unknown[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const end = at + (sizes[turn % sizes.length] as number)
          for (const run of splitter.pushRuns(bytes.subarray(at, end))) found.push(...scanned(run))
          at = end
        }
        for (const run of splitter.end()) found.push(...scanned(run))
        const plain = new LineSplitter({ maxLineBytes: 1_000, oversized: 'drop' })
        const lines = [...plain.push(bytes), ...plain.end()].filter(({ length }) => length > 0)
        expect(found).toEqual(lines.map(each => told(each, scanLine(each, hash))))
      }),
      runs(500),
    )
  })

  it('takes more lines than it has rows, and lines longer than its memory', () => {
    const long = `{"_msg":"${'x'.repeat(300_000)}"}`
    const many = Array.from({ length: 5_000 }, (_, index) => `{"n":"${index}"}`)
    for (const lines of [
      many,
      [long],
      [...many, long, ...many],
      [`{"_msg":"${'x'.repeat(MAX_LINE_BYTES)}"}`],
    ]) {
      const run = Buffer.from(lines.join('\n'))
      expect(scanned(run)).toEqual(plainly(run))
    }
  })

  it('has rows that stand for themselves', () => {
    const run = Buffer.from('{"a":"b"}\n{"_time":"2026-11-28T16:08:09Z","_msg":"text"}\n{"_msg":"has \\n"}')
    const [block] = scanLines(run, hash)
    for (let row = 0; row < 3; row++) {
      const alone = (block as LineBlock).alone(row)
      expect(rowsOf(alone)).toEqual([rowsOf(block as LineBlock)[row]])
      expect(alone.bytes).toHaveLength(alone.lengthOf(0))
    }
    expect(decodeLine((block as LineBlock).line(2))).toEqual({ _msg: 'has \n' })
  })
})

it('runs what its source compiles to', () => {
  const at = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8')
  const digest = createHash('sha256').update(at('wasm/scan-lines.ts')).digest('hex')
  // Else: node scripts/wasm.mjs.
  expect(at('scan-lines-code.ts')).toContain(digest)
})
