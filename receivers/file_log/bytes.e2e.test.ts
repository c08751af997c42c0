import {
  appendFileSync,
  closeSync,
  copyFileSync,
  ftruncateSync,
  openSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bodies, ERROR, fileLogWorld, later, MULTILINE, warnings } from '../../test/support/file-log.js'

const { at, write, started, stopped, polls, looked, advanced, seen } = fileLogWorld()

describe('NULs', () => {
  test.each([
    ['a hole in front of the first line after a truncation', 3_000],
    ['a hole larger than a read', 600_000],
    ['a hole of 60 MiB', 60 * 2 ** 20],
  ])('%s is skipped', async (_name, size) => {
    const { intake, context } = await started({})
    const file = openSync(at('a.log'), 'w')
    writeSync(file, 'ERROR disk on fire\n', size)
    await seen(intake, ['ERROR disk on fire'])
    writeSync(file, 'next\n', size + 19)
    await seen(intake, ['ERROR disk on fire', 'next'])
    closeSync(file)
    expect(warnings(context)).toEqual([expect.stringContaining('NUL bytes')])
  })

  test('the same handle writes on after a truncation', async () => {
    const file = openSync(at('a.log'), 'w')
    writeSync(file, 'INFO line\n'.repeat(300))
    const { intake } = await started({})
    await intake.waitFor(300)
    ftruncateSync(file)
    writeSync(file, 'ERROR disk on fire\n')
    await expect.poll(() => advanced(bodies(intake).slice(300))).toEqual(['ERROR disk on fire'])
    closeSync(file)
  })

  test.each([1, 7, 8, 5_000, 300_000])('%i of them between, behind and inside lines', async count => {
    const nuls = '\0'.repeat(count)
    write('a.log', `${nuls}one\n${nuls}\n${nuls}two${nuls}\na${nuls}b\nthree\n`)
    const { intake } = await started({ stop_at_end: true })
    await expect.poll(() => advanced(intake.ended)).toBe(true)
    expect(bodies(intake)).toEqual(['one', 'two', ...(count < 8 ? [`a${nuls}b`] : ['a', 'b']), 'three'])
  })

  test('a hole ends a record of several lines, and starts none', async () => {
    write('a.log', `${ERROR}${'\0'.repeat(4_000)}2026-11-20 INFO b\n more\n${'\0'.repeat(9)} rest\n`)
    const { intake } = await started({ ...MULTILINE, stop_at_end: true })
    await expect.poll(() => advanced(intake.ended)).toBe(true)
    expect(bodies(intake)).toEqual([ERROR.trimEnd(), '2026-11-20 INFO b\n more', ' rest'])
  })

  test('at the end of a file that is made large beforehand are written over, and nothing is lost', async () => {
    writeFileSync(at('a.log'), Buffer.alloc(700_000))
    const { intake } = await started({})
    await polls(2)
    const file = openSync(at('a.log'), 'r+')
    writeSync(file, 'one\ntw', 0)
    await seen(intake, ['one'])
    writeSync(file, 'o\nthree\n', 6)
    await seen(intake, ['one', 'two', 'three'])
    closeSync(file)
  })

  test.each([3_000, 700_000])(
    'behind what is read are no part of it: %i, written over between runs',
    async nuls => {
      writeFileSync(at('a.log'), Buffer.concat([Buffer.from('one\n'), Buffer.alloc(nuls)]))
      const file = openSync(at('a.log'), 'r+')
      const { intake, receiver } = await started({})
      await seen(intake, ['one'])
      writeSync(file, 'two\n', 4)
      await seen(intake, ['one', 'two'])
      await stopped(receiver)
      writeSync(file, 'three\n', 8)
      closeSync(file)
      const again = await started({})
      await seen(again.intake, ['three'])
    },
  )

  test.each([2_000, 3_000_000])('of a hole of %i are known after a restart', async hole => {
    const file = openSync(at('a.log'), 'w')
    writeSync(file, 'one\n')
    const { intake, receiver } = await started({})
    await seen(intake, ['one'])
    ftruncateSync(file)
    writeSync(file, 'two\n', hole)
    await seen(intake, ['one', 'two'])
    await stopped(receiver)
    appendFileSync(at('a.log'), 'three\n')
    closeSync(file)
    const again = await started({})
    await seen(again.intake, ['three'])
  })

  test('in UTF-16', async () => {
    const nuls = '\0'.repeat(2_000)
    writeFileSync(at('a.log'), Buffer.from(`${nuls}one\nĀ\n${nuls}two\n`, 'utf16le'))
    const { intake } = await started({ encoding: 'utf-16le' })
    await seen(intake, ['one', 'Ā', 'two'])
  })
})

describe('encodings', () => {
  test.each(['utf16le', 'utf16be'])('a byte order mark decides over the default: %s', async encoding => {
    const text = Buffer.from('\ufeffERROR x\nzwei ä\n', 'utf16le')
    writeFileSync(at('a.log'), encoding === 'utf16le' ? text : text.swap16())
    const { intake, receiver } = await started({})
    await seen(intake, ['ERROR x', 'zwei ä'])
    await stopped(receiver)
    const more = Buffer.from('drei\n', 'utf16le')
    appendFileSync(at('a.log'), encoding === 'utf16le' ? more : more.swap16())
    const again = await started({})
    await seen(again.intake, ['drei'])
  })

  test('also in a file that was empty when it was found', async () => {
    write('a.log', '')
    const { intake } = await started({})
    await polls(1)
    appendFileSync(at('a.log'), Buffer.from('\ufefföne\n', 'utf16le'))
    await seen(intake, ['öne'])
  })

  test.each(['utf16le', 'utf16be'])(
    'without a mark, what can only be UTF-16 is read so, and said: %s',
    async encoding => {
      const text = Buffer.from('ERROR without a mark\n', 'utf16le')
      writeFileSync(at('a.log'), encoding === 'utf16le' ? text : text.swap16())
      const { intake, context } = await started({})
      await seen(intake, ['ERROR without a mark'])
      expect(context.logs.map(({ message }) => message).join()).toContain('looks like utf-16')
    },
  )

  // Writers set the mark when they open the file.
  test.each([
    ['by a writer that appends', 'ERROR b\n', 0],
    ['by a writer that keeps its place', 'ERROR b\n', 2],
    ['behind a large hole', 'ERROR b\n', 4_000],
  ])(
    'UTF-16 stays UTF-16 when the file is truncated and written %s, also after a restart',
    async (_, text, hole) => {
      const file = openSync(at('a.log'), 'w')
      writeSync(file, Buffer.from('\ufeffERROR a\n', 'utf16le'))
      const { intake, receiver } = await started({})
      await seen(intake, ['ERROR a'])
      ftruncateSync(file)
      await looked(receiver)
      writeSync(file, Buffer.from(text, 'utf16le'), 0, undefined, hole)
      closeSync(file)
      await seen(intake, ['ERROR a', text.trim()])
      await stopped(receiver)
      appendFileSync(at('a.log'), Buffer.from(text, 'utf16le'))
      const again = await started({})
      await seen(again.intake, [text.trim()])
    },
  )

  test('also where it holds no ASCII', async () => {
    writeFileSync(at('a.log'), Buffer.from('\ufeffОшибка\n', 'utf16le'))
    const { intake, receiver } = await started({})
    await seen(intake, ['Ошибка'])
    truncateSync(at('a.log'))
    await looked(receiver)
    appendFileSync(at('a.log'), Buffer.from('снова\n', 'utf16le'))
    await seen(intake, ['Ошибка', 'снова'])
  })

  test.each([
    ['truncated before the stop', 'a.log', 'looked'],
    ['truncated while nothing runs', 'a.log', 'stopped'],
    ['copied and truncated', 'a.log*', 'copied'],
    ['copied and truncated, of which no pattern finds the copy', 'a.log', 'copied'],
  ])('also where it holds none after a restart: %s', async (_, include, when) => {
    const config = { include: [include] }
    const cyrillic = (word: string) => Buffer.from(`${word}\n`.repeat(20), 'utf16le')
    writeFileSync(at('a.log'), Buffer.concat([Buffer.from('\ufeff', 'utf16le'), cyrillic('Ошибка')]))
    const { intake, receiver } = await started(config)
    await intake.waitFor(20)
    if (when === 'looked') {
      truncateSync(at('a.log'))
      await looked(receiver)
      await looked(receiver)
    }
    if (when === 'copied') {
      truncateSync(at('a.log'))
      await looked(receiver)
      appendFileSync(at('a.log'), cyrillic('снова'))
      await expect.poll(() => advanced(intake.records().length)).toBe(40)
      await looked(receiver)
    }
    await stopped(receiver)
    await later()
    if (when === 'copied') {
      appendFileSync(at('a.log'), cyrillic('позже'))
      copyFileSync(at('a.log'), at('a.log.1'))
    }
    if (when !== 'looked') truncateSync(at('a.log'))
    await later()
    appendFileSync(at('a.log'), cyrillic('конец'))
    const again = await started(config)
    const words = when === 'copied' ? ['позже', 'конец'] : ['конец']
    await seen(
      again.intake,
      words.flatMap(word => Array.from({ length: 20 }, () => word)),
    )
    expect(warnings(again.context).join()).not.toContain('left out')
  })

  test('configured UTF-16 without ASCII and without a mark is no binary data', async () => {
    writeFileSync(at('a.log'), Buffer.from(`${'Ошибка\n'.repeat(50)}`, 'utf16le'))
    const { intake } = await started({ encoding: 'utf-16le' })
    await expect.poll(() => advanced(intake.records().length)).toBe(50)
  })

  test('numbers in two bytes are no UTF-16', async () => {
    writeFileSync(at('a.log'), Buffer.from(Uint16Array.from({ length: 900 }, (_, n) => (n % 30) + 1).buffer))
    write('b.log', 'b\n')
    const { intake } = await started({})
    await seen(intake, ['b'])
  })
})

describe('records without line ends', () => {
  test.each(['utf-16le', 'utf-8', 'latin1'])(
    'of a fixed length come out by size and time, in %s',
    async encoding => {
      const one = (n: number) => `2AUK2026112015000${n}`.padEnd(70, 'ä')
      const bytes = (text: string) =>
        Buffer.from(text, encoding === 'utf-16le' ? 'utf16le' : encoding === 'latin1' ? 'latin1' : 'utf8')
      writeFileSync(at('a.log'), bytes([0, 1, 2, 3, 4].map(one).join('')))
      const { intake, context } = await started({
        encoding,
        multiline: { line_start_pattern: '2AU[A-Z]\\d{12}' },
      })
      await seen(intake, [0, 1, 2, 3, 4].map(one))
      appendFileSync(at('a.log'), bytes(one(5)))
      await seen(intake, [0, 1, 2, 3, 4, 5].map(one))
      expect(warnings(context)).toEqual([expect.stringContaining('no line ends')])
    },
  )
})
