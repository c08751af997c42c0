import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { LineSplitter, type LineSplitterOptions, utf8PieceEnd } from './line-splitter.js'

const TEXTS = fc.array(
  fc.oneof(
    fc.constantFrom('\n', '\n', '\r\n', '\r', 'ä', '€', '😀', ''),
    fc.string({ maxLength: 12 }).map(text => text.replaceAll('\n', '')),
  ),
  { maxLength: 60 },
)

describe('LineSplitter', () => {
  test('hands out lines without their line ends', () => {
    const splitter = new LineSplitter({ maxLineBytes: 100, oversized: 'drop' })
    expect(texts(splitter.push(Buffer.from('one\ntwo\r\n\nthr')))).toEqual(['one', 'two', ''])
    expect(texts(splitter.push(Buffer.from('ee\nfour')))).toEqual(['three'])
    expect(texts(splitter.end())).toEqual(['four'])
    expect(splitter.end()).toEqual([])
  })

  test('drops an oversized line alone', () => {
    const splitter = new LineSplitter({ maxLineBytes: 5, oversized: 'drop' })
    const input = 'ok\n123456\n12345\r\n1234567890\nend\n'
    expect(texts(feed(splitter, input, 3))).toEqual(['ok', '12345', 'end'])
    expect(splitter.oversized).toBe(2)
  })

  test('splits an oversized line between UTF-8 sequences', () => {
    const splitter = new LineSplitter({ maxLineBytes: 5, oversized: 'split' })
    expect(texts(feed(splitter, 'aaaa€bbb\nok\n', 2))).toEqual(['aaaa', '€bb', 'b', 'ok'])
    expect(splitter.oversized).toBe(1)
  })

  test('forgets the line begun on reset', () => {
    const splitter = new LineSplitter({ maxLineBytes: 100, oversized: 'drop' })
    splitter.push(Buffer.from('half a li'))
    expect(splitter.rest.toString()).toBe('half a li')
    splitter.reset()
    expect(texts(splitter.push(Buffer.from('whole\n')))).toEqual(['whole'])
  })

  test('gives the same lines however the input is cut, and as a plain split does', () => {
    fc.assert(
      fc.property(
        TEXTS,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        fc.integer({ min: 4, max: 20 }),
        fc.constantFrom('split' as const, 'drop' as const),
        (parts, sizes, maxLineBytes, oversized) => {
          const input = parts.join('')
          const splitter = new LineSplitter({ maxLineBytes, oversized })
          const lines: Buffer[] = []
          let at = 0
          for (let turn = 0, bytes = Buffer.from(input); at < bytes.length; turn++) {
            const size = sizes[turn % sizes.length] as number
            lines.push(...splitter.push(bytes.subarray(at, at + size)))
            at += size
          }
          lines.push(...splitter.end())
          expect(texts(lines)).toEqual(texts(plainly(input, { maxLineBytes, oversized })))
        },
      ),
      runs(),
    )
  })
})

describe('NULs', () => {
  test.each([1, 7, 8, 5_000])(
    '%i of them around, between and inside lines, however the input is cut',
    count => {
      const nuls = '\0'.repeat(count)
      const input = `${nuls}one\n${nuls}\r\n\n${nuls}two${nuls}\r\n${nuls}\nthr${nuls}ee${nuls}\n${nuls}last${nuls}`
      const inside = count < 8 ? [`thr${nuls}ee`] : ['thr', 'ee']
      for (const size of [1, 2, 3, 7, 64, 100_000]) {
        const splitter = new LineSplitter({ maxLineBytes: 100, oversized: 'drop' })
        expect(texts(feed(splitter, input, size)), `cut at ${size}`).toEqual([
          'one',
          '',
          'two',
          ...inside,
          'last',
        ])
        expect(splitter.skippedNuls).toBe((count < 8 ? 8 : 9) * count)
      }
    },
  )
})

test('utf8PieceEnd cuts bytes that are no UTF-8 anywhere', () => {
  expect(utf8PieceEnd(Buffer.alloc(20, 0x80), 0, 10)).toBe(10)
})

function feed(splitter: LineSplitter, input: string, size: number): Buffer[] {
  const bytes = Buffer.from(input)
  const lines: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)))
  return [...lines, ...splitter.end()]
}

function plainly(input: string, { maxLineBytes, oversized }: LineSplitterOptions): Buffer[] {
  const lines = input.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.flatMap(line => {
    const bytes = Buffer.from(line.replace(/\r$/, ''))
    if (bytes.length <= maxLineBytes) return [bytes]
    if (oversized === 'drop') return []
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = utf8PieceEnd(bytes, at, maxLineBytes)
      pieces.push(bytes.subarray(at, end))
      at = end
    }
    return pieces
  })
}

function texts(lines: readonly Buffer[]): string[] {
  return lines.map(line => line.toString())
}
