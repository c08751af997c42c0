import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { gzipSync } from 'node:zlib'
import { collectingIntake } from 'tocsin/testing'
import { describe, expect, test, vi } from 'vitest'
import { bodies, fileLogWorld, later, warnings } from '../../test/support/file-log.js'
import type { FileLogConfig } from './config.js'
import { OpenedFile } from './opened-file.js'

const {
  at,
  write,
  append,
  started,
  stopped,
  forgotten,
  passed,
  polls,
  looked,
  advanced,
  seen,
  ended,
  first,
} = fileLogWorld()

const MULTILINE = { multiline: { line_start_pattern: '^\\d{4}-' } }
const ERROR = '2026-11-20 ERROR db down\n\tat x\n'

describe('what waits goes out before what comes after it', () => {
  const how: Record<string, (more: string) => void> = {
    rename: more => {
      renameSync(at('a.log'), at('a.log.1'))
      write('a.log', more)
    },
    'rename to a name that says nothing': more => {
      renameSync(at('a.log'), at('old'))
      write('a.log', more)
    },
    'copy and truncate': more => {
      copyFileSync(at('a.log'), at('a.log.1'))
      truncateSync(at('a.log'))
      append('a.log', more)
    },
    'truncate without a copy': more => {
      truncateSync(at('a.log'))
      append('a.log', more)
    },
    'delete and make anew': more => {
      unlinkSync(at('a.log'))
      write('a.log', more)
    },
    'replace by another inode': more => {
      write('new', more)
      renameSync(at('new'), at('a.log'))
    },
    'rewrite longer than it was': more => {
      write('a.log', `${more}${'2026-11-20 INFO filler\n'.repeat(9)}`)
    },
  }
  test.each(Object.keys(how))('%s with multiline', async name => {
    write('a.log', '')
    const { intake, receiver } = await started(MULTILINE)
    await looked(receiver)
    append('a.log', ERROR)
    await looked(receiver)
    expect(bodies(intake)).toEqual([])
    how[name]?.('2026-11-20 INFO db up\n2026-11-20 INFO other\n')
    await first(intake, [
      '2026-11-20 ERROR db down\n\tat x',
      '2026-11-20 INFO db up',
      '2026-11-20 INFO other',
    ])
  })

  test.each(Object.keys(how))(
    '%s when the waiting record is not the first, and after a restart',
    async name => {
      write('a.log', '2026-11-20 INFO a\n2026-11-20 INFO b\n')
      const { intake, receiver } = await started(MULTILINE)
      await first(intake, ['2026-11-20 INFO a'])
      append('a.log', ERROR)
      await looked(receiver)
      how[name]?.('2026-11-20 INFO c\n')
      const rest = [
        '2026-11-20 INFO a',
        '2026-11-20 INFO b',
        '2026-11-20 ERROR db down\n\tat x',
        '2026-11-20 INFO c',
      ]
      await first(intake, rest)
      await polls(8)
      const count = intake.records().length
      expect(count).toBe(name === 'rewrite longer than it was' ? 13 : 4)
      await stopped(receiver)
      const again = await started(MULTILINE)
      await polls(8)
      expect(bodies(again.intake)).toEqual([])
    },
  )

  test('a line without its end in a renamed file waits for it a moment, then goes out first', async () => {
    write('a.log', 'one\nhalf')
    const { intake } = await started({})
    await seen(intake, ['one'])
    renameSync(at('a.log'), at('a.log.1'))
    write('a.log', 'new\n')
    append('a.log.1', ' and half\n')
    await seen(intake, ['one', 'half and half', 'new'])
  })

  test('also when its file is deleted and nothing comes after it but the stop', async () => {
    write('a.log', ERROR)
    const config = { ...MULTILINE, force_flush_period: '10s' }
    const { intake, receiver } = await started(config)
    await looked(receiver)
    unlinkSync(at('a.log'))
    await stopped(receiver)
    expect(bodies(intake)).toEqual([ERROR.trimEnd()])
    const again = await started(config)
    await polls(3)
    expect(bodies(again.intake)).toEqual([])
  })

  test('a file that is truncated and then renamed and its successor do not wait for each other', async () => {
    write('a.log', 'one\n')
    const { intake, receiver } = await started({ include: ['a.log'] }, collectingIntake({ manual: true }))
    await expect.poll(() => advanced(bodies(intake))).toEqual(['one'])
    copyFileSync(at('a.log'), at('a.log.1'))
    truncateSync(at('a.log'))
    await polls(3)
    append('a.log', 'two\n')
    renameSync(at('a.log.1'), at('a.log.2'))
    renameSync(at('a.log'), at('a.log.1'))
    write('a.log', 'three\n')
    await polls(3)
    for (const batch of intake.batches) batch.settle()
    await expect.poll(() => advanced(bodies(intake).slice().sort())).toEqual(['one', 'three', 'two'])
    for (const batch of intake.batches) batch.settle()
    await stopped(receiver)
  })

  test('a symbolic link that points elsewhere: the old file first', async () => {
    write('one', '1\n')
    symlinkSync(at('one'), at('a.log'))
    const { intake } = await started({})
    await seen(intake, ['1'])
    append('one', '2\n')
    write('two', '3\n')
    unlinkSync(at('a.log'))
    symlinkSync(at('two'), at('a.log'))
    await seen(intake, ['1', '2', '3'])
  })

  test('also one that was pointed elsewhere, twice, while nothing ran', async () => {
    const point = (name: string) => {
      if (existsSync(at('a.log'))) unlinkSync(at('a.log'))
      symlinkSync(at(name), at('a.log'))
    }
    write('one', '1\n')
    point('one')
    const { intake, receiver } = await started({})
    await seen(intake, ['1'])
    write('two', '2\n')
    point('two')
    await seen(intake, ['1', '2'])
    await stopped(receiver)
    append('two', '3\n')
    write('three', '4\n')
    point('three')
    const again = await started({})
    await seen(again.intake, ['3', '4'])
  })
})

describe('after a restart in the middle of a rotation', () => {
  test.each([
    ['a.log', 'stop'],
    ['a.log*', 'stop'],
    ['a.log', 'kill'],
    ['a.log*', 'kill'],
  ])('the old file is read to its end before the new one, with %s after a %s', async (include, end) => {
    const old = Array.from({ length: 60_000 }, (_, index) => `old ${index} ${'x'.repeat(40)}`)
    write('a.log', `${old.join('\n')}\n`)
    const manual = collectingIntake({ manual: true })
    const before = await started({ include: [include] }, manual)
    await manual.waitFor(2_000)
    manual.batches[0]?.settle()
    renameSync(at('a.log'), at('a.log.1'))
    write('a.log', 'new 1\nnew 2\n')
    await polls(3)
    if (end === 'stop') await stopped(before.receiver)
    else forgotten(before.receiver)
    const { intake } = await started({ include: [include] })
    await expect.poll(() => advanced(bodies(intake).at(-1))).toBe('new 2')
    const texts = bodies(intake)
    expect(texts.slice(-3)).toEqual([old.at(-1), 'new 1', 'new 2'])
    expect(texts.slice(0, -2)).toEqual(old.slice(-(texts.length - 2)))
    if (end === 'kill') await stopped(before.receiver)
  })
})

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

describe('generations between', () => {
  const unpacked = () => {}
  const packers: Record<string, (path: string) => void> = {
    gzip: path => spawnSync('gzip', [path]),
    'gzip -n': path => spawnSync('gzip', ['-n', path]),
    'what keeps whole seconds, as pigz': path => {
      spawnSync('gzip', [path])
      wholeSeconds(`${path}.gz`, 1)
    },
    'what keeps no time': path => {
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)))
      unlinkSync(path)
    },
  }
  const movers: Record<string, () => void> = {
    rename: () => renameSync(at('a.log'), at('a.log.1')),
    copytruncate: () => {
      copyFileSync(at('a.log'), at('a.log.1'))
      truncateSync(at('a.log'))
    },
    'cp -p to FAT': () => {
      spawnSync('cp', ['-p', at('a.log'), at('a.log.1')])
      wholeSeconds(at('a.log.1'), 2)
      truncateSync(at('a.log'))
    },
  }
  test.each(
    Object.entries(movers).flatMap(([how, move]) => [
      [how, 'not packed', 'a.log', move, unpacked] as const,
      ...Object.entries(packers).flatMap(([packer, pack]) =>
        ['a.log', 'a.log*'].map(include => [how, packer, include, move, pack] as const),
      ),
    ]),
  )(
    'rotated by %s while nothing ran are read in order, packed: %s; %s',
    async (_, _packer, include, move, pack) => {
      const config: Partial<FileLogConfig> = { include: [include], start_at: 'end' }
      write('a.log', lines('a', 5))
      write('a.log.1', 'older than what is known\n')
      const before = await started(config)
      append('a.log', lines('b', 5))
      await before.intake.waitFor(5)
      await stopped(before.receiver)
      const rotate = () => {
        for (let index = 5; index > 0; index--)
          for (const end of ['', '.gz'])
            if (existsSync(at(`a.log.${index}${end}`)))
              renameSync(at(`a.log.${index}${end}`), at(`a.log.${index + 1}${end}`))
        move()
        pack(at('a.log.1'))
      }
      append('a.log', 'late\n')
      rotate()
      write('a.log', lines('c', 20))
      await later()
      rotate()
      write('a.log', lines('d', 5))
      const { intake } = await started(config)
      await seen(intake, ['late', ...lines('c', 20).trim().split('\n'), ...lines('d', 5).trim().split('\n')])
      await polls(3)
      expect(intake.records()).toHaveLength(26)
    },
  )

  test('of which the last was packed after the newest was written are read', async () => {
    write('a.log', 'one\n')
    const before = await started({})
    await seen(before.intake, ['one'])
    await stopped(before.receiver)
    renameSync(at('a.log'), at('a.log.2'))
    write('a.log', 'three\n')
    await later()
    writeFileSync(at('a.log.1.gz'), gzipSync('two\n'))
    const { intake } = await started({})
    await seen(intake, ['two', 'three'])
  })

  test.each(['a.log', 'a.log*'])(
    'a hundred of them are no more work than they are files, with %s',
    async include => {
      write('a.log', 'begin\n')
      const { receiver, intake } = await started({ include: [include] })
      await seen(intake, ['begin'])
      await stopped(receiver)
      renameSync(at('a.log'), at('a.log.100'))
      const all = Array.from({ length: 100 }, (_, index) => `generation ${index}`)
      for (const [index, text] of all.entries()) {
        const name = index === 99 ? 'a.log' : `a.log.${99 - index}`
        write(name, `${text}\n`)
      }
      const again = await started({ include: [include] })
      await seen(again.intake, all)
    },
  )

  test.each([
    ['a.log', 'a__2026-11-26_00-00-00.log', 'a__2026-11-27_00-00-00.log'],
    ['a.log', 'a-20261126T101112Z.log', 'a-20261127T101112Z.log'],
    ['a.log', 'a.log.2026-11-26T10:11:12+01:00', 'a.log.2026-11-27T10:11:12+01:00'],
    ['a.log', 'a.log.26-Nov-2026', 'a.log.27-Nov-2026'],
    ['current', '@40000000674869c01a2b3c4d.s', '@40000000674869c21a2b3c4d.u'],
  ])('are known by their names: %s, %s', async (name, first, second) => {
    const config = { include: [name] }
    write(name, '1\n')
    const { intake, receiver } = await started(config)
    await seen(intake, ['1'])
    await stopped(receiver)
    append(name, '2\n')
    renameSync(at(name), at(first))
    await later()
    write(second, '3\n')
    await later()
    write(name, '4\n')
    write('a-2fa.log', 'another log\n')
    const again = await started(config)
    await seen(again.intake, ['2', '3', '4'])
  })

  test('that exclude means are left out', async () => {
    write('a.log', '1\n')
    const before = await started({ exclude: ['*.1'] })
    await seen(before.intake, ['1'])
    await stopped(before.receiver)
    renameSync(at('a.log'), at('a.log.2'))
    write('a.log.1', 'no\n')
    await later()
    write('a.log', '2\n')
    const { intake } = await started({ exclude: ['*.1'] })
    await seen(intake, ['2'])
  })

  test('a known file that is not found again is said', async () => {
    write('a.log', 'one\n')
    const before = await started({})
    await seen(before.intake, ['one'])
    await stopped(before.receiver)
    unlinkSync(at('a.log'))
    const { context } = await started({})
    expect(context.logs.find(entry => entry.message.startsWith('Files of the last run'))).toMatchObject({
      level: 'warn',
      attributes: { files: `${at('a.log')} (read up to byte 4)` },
    })
  })
})

describe('compressed files', () => {
  test('in gzip are read once, as what they are', async () => {
    writeFileSync(at('a.log.2.gz'), Buffer.concat([gzipSync(lines('x', 3_000)), gzipSync('last\n')]))
    await later()
    write('a.log', 'now\n')
    const config = { include: ['a.log*'] }
    const before = await started(config)
    await seen(before.intake, [...lines('x', 3_000).trim().split('\n'), 'last', 'now'])
    await polls(3)
    await stopped(before.receiver)
    const { intake } = await started(config)
    await polls(4)
    expect(bodies(intake)).toEqual([])
  })

  test('of what was read already bring nothing again', async () => {
    write('a.log', lines('a', 500))
    const config = { include: ['a.log*'] }
    const { intake } = await started(config)
    await intake.waitFor(500)
    renameSync(at('a.log'), at('a.log.1'))
    write('a.log', 'b\n')
    await polls(3)
    writeFileSync(at('a.log.1.gz'), gzipSync(readFileSync(at('a.log.1'))))
    unlinkSync(at('a.log.1'))
    await polls(4)
    expect(intake.records()).toHaveLength(501)
  })

  for (const stop of [false, true]) {
    test(`that were moved up too before they were seen bring nothing again${stop ? ', after a stop' : ''}`, async () => {
      write('a.log.1', 'one\ntwo\n')
      const config = { include: ['a.log*'] }
      let { intake, receiver } = await started(config)
      const before = intake
      await seen(before, ['one', 'two'])
      if (stop) await stopped(receiver)
      writeFileSync(at('a.log.2.gz'), gzipSync('one\ntwo\n'))
      unlinkSync(at('a.log.1'))
      if (stop) ({ intake, receiver } = await started(config))
      await polls(4)
      write('a.log', 'three\n')
      await seen(intake, stop ? ['three'] : ['one', 'two', 'three'])
    })
  }

  test('with the content of a file that is there are another generation', async () => {
    write('a.log.1', 'started\n')
    const { intake } = await started({ include: ['a.log*'] })
    await seen(intake, ['started'])
    writeFileSync(at('a.log.2.gz'), gzipSync('started\n'))
    await seen(intake, ['started', 'started'])
  })

  test('of a copy that held more than was read before the truncation bring nothing again', async () => {
    write('a.log', 'one\n')
    const { intake } = await started({ include: ['a.log*'] })
    await seen(intake, ['one'])
    append('a.log', 'two\n')
    copyFileSync(at('a.log'), at('a.log.1'))
    truncateSync(at('a.log'))
    await seen(intake, ['one', 'two'])
    await polls(2)
    writeFileSync(at('a.log.1.gz'), gzipSync('one\ntwo\n'))
    await polls(4)
    unlinkSync(at('a.log.1'))
    await polls(3)
    expect(bodies(intake)).toEqual(['one', 'two'])
  })

  test('wait while the file that they are of holds back a record: it comes once', async () => {
    write('a.log', ERROR)
    const config = { include: ['a.log*'], ...MULTILINE, force_flush_period: '10s' }
    const { intake, receiver } = await started(config)
    await looked(receiver)
    renameSync(at('a.log'), at('a.log.1'))
    await looked(receiver)
    writeFileSync(at('a.log.1.gz'), gzipSync(ERROR))
    await polls(4)
    unlinkSync(at('a.log.1'))
    await passed(70_000)
    await polls(4)
    expect(bodies(intake)).toEqual([ERROR.trimEnd()])
  })

  test('that were there at the end are not read at the next start either', async () => {
    writeFileSync(at('a.log.1.gz'), gzipSync('old\n'))
    write('a.log', 'old\n')
    const config: Partial<FileLogConfig> = { include: ['a.log*'], start_at: 'end' }
    const before = await started(config)
    await polls(2)
    await stopped(before.receiver)
    const { intake } = await started(config)
    append('a.log', 'new\n')
    await seen(intake, ['new'])
  })

  test('that are still being written, of what was read already, bring nothing again', async () => {
    const text = lines('a', 20_000)
    write('a.log', text)
    const config = { include: ['a.log*'] }
    const { intake, context } = await started(config)
    await intake.waitFor(20_000)
    renameSync(at('a.log'), at('a.log.1'))
    write('a.log', 'b\n')
    await polls(3)
    const packed = gzipSync(text)
    for (let end = 0; end < packed.length; end += Math.ceil(packed.length / 6)) {
      writeFileSync(at('a.log.1.gz'), packed.subarray(0, end))
      await polls(2)
    }
    writeFileSync(at('a.log.1.gz'), packed)
    unlinkSync(at('a.log.1'))
    await polls(4)
    expect(intake.records()).toHaveLength(20_001)
    expect(warnings(context)).toEqual([])
  })

  test('that stay a part of what was read already bring nothing again, and are said', async () => {
    write('a.log', lines('a', 20_000))
    const { intake, context } = await started({ include: ['a.log*'] })
    await intake.waitFor(20_000)
    const packed = gzipSync(lines('a', 20_000))
    writeFileSync(at('a.log.1.gz'), packed.subarray(0, packed.length / 2))
    await expect
      .poll(() => advanced(warnings(context)))
      .toEqual([expect.stringContaining('ends in the middle')])
    await polls(5)
    expect(intake.records()).toHaveLength(20_000)
  })

  test('that are cut are read as far as they go, which is said, and to their end when they have grown', async () => {
    const all = lines('a', 20_000).trim().split('\n')
    const packed = gzipSync(lines('a', 20_000))
    writeFileSync(at('a.log.1.gz'), packed.subarray(0, packed.length / 2))
    const config = { include: ['a.log*'] }
    const before = await started(config)
    await expect.poll(() => advanced(warnings(before.context))).not.toEqual([])
    await polls(5)
    const some = before.intake.records().length
    expect(some).toBeGreaterThan(5_000)
    expect(bodies(before.intake)).toEqual(all.slice(0, some))
    const said = before.context.logs.filter(({ message }) => message.includes('ends in the middle'))
    expect(said).toHaveLength(1)
    expect(said[0]?.attributes).toMatchObject({
      path: at('a.log.1.gz'),
      file_bytes: Math.floor(packed.length / 2),
      read_bytes: expect.any(Number),
    })
    writeFileSync(at('a.log.1.gz'), packed.subarray(0, packed.length * 0.75))
    await expect.poll(() => advanced(before.intake.records().length)).toBeGreaterThan(some)
    await stopped(before.receiver)
    writeFileSync(at('a.log.1.gz'), packed)
    const after = await started(config)
    await seen(after.intake, all.slice(before.intake.records().length))
    await polls(30)
    expect([...bodies(before.intake), ...bodies(after.intake)]).toEqual(all)
  })

  test('that are damaged are read as far as they go, which is said, and not again and again', async () => {
    const all = Array.from({ length: 9_000 }, (_, index) => `a ${index} ${index ** 5}`)
    const packed = gzipSync(`${all.join('\n')}\n`)
    packed[packed.length - 8]! ^= 0xff
    writeFileSync(at('a.log.1.gz'), packed)
    write('b.log', 'now\n')
    const { intake, context } = await started({ include: ['*.log*'] })
    await expect.poll(() => advanced(warnings(context))).toEqual([expect.stringContaining('is damaged')])
    const read = bodies(intake)
    const there = new Set(read)
    expect(['now', ...all.slice(0, 8_950)].filter(line => !there.has(line))).toEqual([])
    await polls(20)
    expect(bodies(intake)).toEqual(read)
    expect(warnings(context)).toHaveLength(1)
  })

  test('to which a member is added are read on', async () => {
    writeFileSync(at('a.log.1.gz'), gzipSync('one\n'))
    const config = { include: ['a.log*'] }
    const before = await started(config)
    await seen(before.intake, ['one'])
    appendFileSync(at('a.log.1.gz'), gzipSync('two\n'))
    await seen(before.intake, ['one', 'two'])
    await stopped(before.receiver)
    await later()
    appendFileSync(at('a.log.1.gz'), gzipSync('three\n'))
    const { intake } = await started(config)
    await seen(intake, ['three'])
  })

  test.each([
    ['bzip2', Buffer.from('BZh91AY&SYabc')],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4])],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 4, 0])],
    ['zip', Buffer.from([0x50, 0x4b, 3, 4, 20, 0])],
    ['binary', Buffer.from(Array.from({ length: 900 }, (_, index) => (index * 73) % 256))],
  ])('of another kind are left out, and named: %s', async (format, bytes) => {
    writeFileSync(at('a.log.1'), Buffer.concat([bytes, Buffer.from('\nERROR no\n')]))
    write('a.log', 'one\n')
    const { intake, context } = await started({ include: ['a.log*'] })
    await seen(intake, ['one'])
    await polls(3)
    expect(warnings(context)).toEqual([expect.stringContaining(`(${format})`)])
  })
})

describe('one content under several names comes once', () => {
  const BANNER = lines('a line that every start begins with', 60)
  const short = 'one\ntwo\n'
  const long = lines('a', 20_000)

  test.each([
    ['a file and what it was compressed to', { 'a.log.1': short, 'a.log.1.gz': short }, short],
    ['also of many lines', { 'a.log.1': long, 'a.log.1.gz': long }, long],
    ['with the date in the name', { 'a.log-20260115': short, 'a.log-20260115.gz': short }, short],
    ['the compressed one is the older', { 'a.log.1.gz': short, 'a.log.1': short }, short],
    [
      'a file that grew since it was compressed',
      { 'a.log.gz': short, 'a.log': `${short}three\n` },
      `${short}three\n`,
    ],
    ['a long one that grew since', { 'a.log.1.gz': long, 'a.log': `${long}three\n` }, `${long}three\n`],
    ['a copy that was made before a truncation', { 'a.log': long, 'a.log.1': long }, long],
    [
      'copies of copies',
      { 'a.log.1': long, 'a.log.1.gz': long, 'a.log.1.bak': long, 'a.log.2.gz': long },
      long,
    ],
    ['a last line without an end', { 'a.log.1': 'one\ntwo', 'a.log.1.gz': 'one\ntwo' }, 'one\ntwo\n'],
    [
      'generations that begin alike, in their order',
      { 'a.log.1.gz': `${BANNER}x\n`, 'a.log': `${BANNER}y\n` },
      `${BANNER}x\n${BANNER}y\n`,
    ],
    ['short generations of the same content', { 'a.log.1': short, 'a.log': short }, short + short],
  ])('%s', async (_, files, expected) => {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(at(name), name.endsWith('.gz') ? gzipSync(text) : text)
      await later()
    }
    const { intake, receiver } = await started({ include: ['a.log*'], stop_at_end: true })
    await ended(intake)
    expect(bodies(intake).join('\n')).toBe(expected.trimEnd())
    await stopped(receiver)
    const again = await started({ include: ['a.log*'], stop_at_end: true })
    await ended(again.intake)
    expect(bodies(again.intake)).toEqual([])
  })

  test('while gzip runs, and when it has removed the file', async () => {
    const packed = gzipSync(long)
    write('a.log.1', long)
    writeFileSync(at('a.log.1.gz'), packed.subarray(0, packed.length / 2))
    const { intake } = await started({ include: ['a.log*'], stop_at_end: true })
    await polls(3)
    writeFileSync(at('a.log.1.gz'), packed)
    unlinkSync(at('a.log.1'))
    await ended(intake)
    expect(intake.records()).toHaveLength(20_000)
  })

  test.each(['a.log', 'a.log*'])(
    'a copy that is shorter than what was read before the truncation, with %s',
    async include => {
      write('a.log', lines('a', 500))
      const config = { include: [include] }
      const { intake, receiver } = await started(config)
      await intake.waitFor(500)
      const copied = readFileSync(at('a.log'))
      append('a.log', 'written between\n')
      await looked(receiver)
      expect(intake.records()).toHaveLength(501)
      writeFileSync(at('a.log.1'), copied.subarray(0, copied.length / 2))
      if (include === 'a.log*') await polls(1)
      writeFileSync(at('a.log.1'), copied)
      truncateSync(at('a.log'))
      append('a.log', 'b\n')
      await expect.poll(() => advanced(bodies(intake).slice(500))).toEqual(['written between', 'b'])
      writeFileSync(at('a.log.1.gz'), gzipSync(copied))
      await polls(5)
      expect(bodies(intake).slice(500)).toEqual(['written between', 'b'])
      await stopped(receiver)
      const again = await started(config)
      await polls(4)
      expect(bodies(again.intake)).toEqual([])
    },
  )

  // What a rotation by copy and truncate does, with `looks` at the disk between its steps.
  describe.each([0, 1, 3])('a copy that is made slowly, with looks after each step: %i', looks => {
    test.each(['never', 'a part', 'the whole', 'more lines', 'more copied', 'the truncation'])(
      'and a restart after: %s',
      async restartAfter => {
        const config = { include: ['a.log*'] }
        const text = lines('a', 500)
        write('a.log', text)
        let { intake, receiver } = await started(config)
        await intake.waitFor(500)
        const got: string[] = []
        const steps: Record<string, () => void> = {
          'nothing yet': () => write('a.log.1', ''),
          'a part': () => append('a.log.1', text.slice(0, text.length / 2)),
          'the whole': () => append('a.log.1', text.slice(text.length / 2)),
          'more lines': () => append('a.log', 'written between\n'),
          'more copied': () => append('a.log.1', 'written between\n'),
          'the truncation': () => truncateSync(at('a.log')),
          'new lines': () => append('a.log', 'b\n'),
        }
        for (const [step, take] of Object.entries(steps)) {
          take()
          for (let look = 0; look < looks; look++) await looked(receiver)
          if (step !== restartAfter) continue
          await stopped(receiver)
          got.push(...bodies(intake))
          ;({ intake, receiver } = await started(config))
        }
        const all = [...text.trimEnd().split('\n'), 'written between', 'b']
        await expect.poll(() => advanced([...got, ...bodies(intake)])).toEqual(all)
        await polls(4)
        expect([...got, ...bodies(intake)]).toEqual(all)
      },
    )
  })

  test('a copy that a scan opened half, of a file that was truncated since', async () => {
    write('a.log', lines('a', 500))
    const { intake, receiver } = await started({ include: ['a.log*'] })
    await intake.waitFor(500)
    const copied = readFileSync(at('a.log'))
    const open = OpenedFile.open
    const spied = vi.spyOn(OpenedFile, 'open').mockImplementation(async (path, encoding) => {
      const found = await open(path, encoding)
      if (path === at('a.log.1') && found?.size === copied.length / 2) {
        writeFileSync(at('a.log.1'), copied)
        truncateSync(at('a.log'))
        append('a.log', 'b\n')
      }
      return found
    })
    writeFileSync(at('a.log.1'), copied.subarray(0, copied.length / 2))
    await looked(receiver)
    spied.mockRestore()
    await expect.poll(() => advanced(bodies(intake).slice(500))).toEqual(['b'])
    await polls(4)
    expect(bodies(intake).slice(500)).toEqual(['b'])
  })

  // As `cp app.log app.log.1; > app.log`, and `gzip -c`, have it.
  describe.each(['a.log', 'a.log*'])('a copy that is made in the place of the last one, with %s', include => {
    test.each(['a.log.1', 'a.log.1.gz'])('%s', async copy => {
      const config = { include: [include] }
      const rotate = (late: string, more: string) => {
        append('a.log', late)
        const text = readFileSync(at('a.log'))
        writeFileSync(at(copy), copy.endsWith('.gz') ? gzipSync(text) : text)
        truncateSync(at('a.log'))
        append('a.log', more)
      }
      write('a.log', lines('a', 100))
      const { intake, receiver } = await started(config)
      await intake.waitFor(100)
      rotate('late 1\n', 'b\n')
      await expect.poll(() => advanced(bodies(intake).slice(100))).toEqual(['late 1', 'b'])
      rotate(lines('late', 20), 'c\n')
      const second = [...lines('late', 20).trim().split('\n'), 'c']
      await expect.poll(() => advanced(bodies(intake).slice(102))).toEqual(second)
      rotate('', 'd\n')
      await expect.poll(() => advanced(bodies(intake).slice(123))).toEqual(['d'])
      await polls(5)
      await stopped(receiver)
      rotate('late 3\n', 'e\n')
      const again = await started(config)
      await seen(again.intake, ['late 3', 'e'])
      rotate('late 4\n', 'f\n')
      await seen(again.intake, ['late 3', 'e', 'late 4', 'f'])
      await polls(5)
      expect(bodies(again.intake)).toEqual(['late 3', 'e', 'late 4', 'f'])
      expect(bodies(intake)).toHaveLength(124)
    })
  })

  test('a compressed file that is written anew, no larger than it was', async () => {
    writeFileSync(at('b.gz'), gzipSync('one\n'))
    const { intake } = await started({ include: ['*.gz'] })
    await seen(intake, ['one'])
    writeFileSync(at('b.gz'), gzipSync('two\n'))
    await seen(intake, ['one', 'two'])
  })

  test('a copy that somebody else writes to', async () => {
    write('a.log', lines('a', 500))
    const { intake, receiver } = await started({ include: ['a.log*'] })
    await intake.waitFor(500)
    write('a.log.1', `${lines('a', 500)}other\n`)
    await expect.poll(() => advanced(bodies(intake).slice(500))).toEqual(['other'])
    write('a.log.2', lines('a', 400))
    await looked(receiver)
    append('a.log.2', 'another\n')
    await expect.poll(() => advanced(bodies(intake).slice(500))).toEqual(['other', 'another'])
  })

  test('a copy that was seen before anything was copied', async () => {
    write('a.log', lines('a', 500))
    const { intake, receiver } = await started({ include: ['a.log*'] })
    await intake.waitFor(500)
    write('a.log.1', '')
    await looked(receiver)
    writeFileSync(at('a.log.1'), readFileSync(at('a.log')))
    truncateSync(at('a.log'))
    await looked(receiver)
    append('a.log', 'b\n')
    await expect.poll(() => advanced(bodies(intake).slice(500))).toEqual(['b'])
    await polls(5)
    expect(bodies(intake).slice(500)).toEqual(['b'])
  })

  test.each(['a.log.1', 'a.log.gz'])('a copy of the beginning of what was read: %s', async name => {
    write('a.log', lines('a', 500))
    const { intake, receiver } = await started({ include: ['a.log*'] })
    await intake.waitFor(500)
    append('a.log', 'more\n')
    await looked(receiver)
    expect(intake.records()).toHaveLength(501)
    writeFileSync(at(name), name.endsWith('.gz') ? gzipSync(lines('a', 500)) : lines('a', 500))
    await polls(5)
    append('a.log', 'last\n')
    await looked(receiver)
    expect(bodies(intake).slice(500)).toEqual(['more', 'last'])
  })

  test.each([
    ['while it runs', 'started\n', false],
    ['while it runs, of many bytes', BANNER, false],
    ['while nothing runs', 'started\n', true],
    ['while nothing runs, of many bytes', BANNER, true],
  ])(
    'but what comes under the name of a renamed file is new, though it holds the same: %s',
    async (_, text, stop) => {
      const all = text.trim().split('\n')
      write('a.log', text)
      let { intake, receiver } = await started({})
      await seen(intake, all)
      if (stop) await stopped(receiver)
      append('a.log', 'the end\n')
      renameSync(at('a.log'), at('a.log.1'))
      write('a.log', text)
      const before = stop ? [] : all
      if (stop) ({ intake, receiver } = await started({}))
      await seen(intake, [...before, 'the end', ...all])
    },
  )
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

describe('a file whose end was cut', () => {
  const cuts: Record<string, (text: string) => void> = {
    'in place': text => write('a.log', text),
    'by another inode': text => {
      write('new', text)
      renameSync(at('new'), at('a.log'))
    },
  }
  test.each([
    ['in place', 'running'],
    ['by another inode', 'running'],
    ['in place', 'stopped'],
    ['by another inode', 'stopped'],
  ])('%s while it is %s goes on where it was', async (how, state) => {
    const text = (n: number) =>
      Array.from({ length: n }, (_, index) => `line ${index} ${'x'.repeat(60)}\n`).join('')
    write('a.log', text(30))
    let { intake, receiver } = await started({})
    await intake.waitFor(30)
    await polls(2)
    if (state === 'stopped') await stopped(receiver)
    cuts[how]?.(`${text(25)}new 1\nnew 2\nnew 3\nnew 4\nnew 5\n`)
    if (state === 'stopped') ({ intake, receiver } = await started({}))
    const skip = state === 'stopped' ? 0 : 30
    const fresh = ['new 1', 'new 2', 'new 3', 'new 4', 'new 5']
    await expect.poll(() => advanced(bodies(intake).slice(skip))).toEqual(fresh)
    append('a.log', 'more\n')
    await expect.poll(() => advanced(bodies(intake).slice(skip))).toEqual([...fresh, 'more'])
    expect(new Set(intake.records().map(record => record.id)).size).toBe(intake.records().length)
  })

  test('a program that starts anew and writes its first lines again is read from the start', async () => {
    write('a.log', `started\n${'work\n'.repeat(20)}`)
    const { intake } = await started({})
    await intake.waitFor(21)
    write('a.log', 'started\nfailed\n')
    await expect.poll(() => advanced(bodies(intake).slice(21))).toEqual(['started', 'failed'])
  })
})

test('which files are opened, and from where, is said once', async () => {
  write('a.log', 'one\n')
  const { context, receiver } = await started({})
  await looked(receiver)
  write('b.log', 'two\n')
  await looked(receiver)
  await stopped(receiver)
  const again = await started({})
  const said = [...context.logs, ...again.context.logs].filter(entry => /^Reading/.test(entry.message))
  expect(said.map(entry => entry.attributes?.files)).toEqual([
    `${at('a.log')} from its beginning`,
    `${at('b.log')} from its beginning`,
    `${at('a.log')} from byte 4, where the last run stopped, ${at('b.log')} from byte 4, where the last run stopped`,
  ])
})

/** As where no more than that is kept of a time. */
function wholeSeconds(path: string, step: number): void {
  const seconds = statSync(path).mtimeMs / 1_000
  utimesSync(path, seconds - (seconds % step), seconds - (seconds % step))
}

function lines(word: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `${word} ${index}\n`).join('')
}
