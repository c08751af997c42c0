import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { gzipSync } from 'node:zlib'
import { collectingIntake } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { bodies, ERROR, fileLogWorld, later, lines, MULTILINE } from '../../test/support/file-log.js'
import type { FileLogConfig } from './config.js'

const { at, write, append, started, stopped, forgotten, stored, polls, looked, advanced, seen, first } =
  fileLogWorld()

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
      const count = name === 'rewrite longer than it was' ? 13 : 4
      await expect.poll(() => advanced(intake.records().length)).toBe(count)
      await polls(8)
      expect(intake.records().length).toBe(count)
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
      // Not in the moment in which the known one was written: what may be newer is read.
      const hourAgo = Date.now() / 1_000 - 3_600
      utimesSync(at('a.log.1'), hourAgo, hourAgo)
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

// A decision about a record is found again by the record's id: under another it would be taken for one more.
describe('what was offered and not settled before a kill comes again under its ids', () => {
  const rotations: Record<string, () => void> = {
    'copied and truncated': () => {
      copyFileSync(at('a.log'), at('a.log.1'))
      truncateSync(at('a.log'))
    },
    'copied and truncated twice': () => {
      copyFileSync(at('a.log'), at('a.log.1'))
      truncateSync(at('a.log'))
      renameSync(at('a.log.1'), at('a.log.2'))
      copyFileSync(at('a.log.2'), at('a.log.1'))
      unlinkSync(at('a.log.2'))
    },
    'packed and truncated': () => {
      writeFileSync(at('a.log.1.gz'), gzipSync(readFileSync(at('a.log'))))
      truncateSync(at('a.log'))
    },
    'renamed and packed': () => {
      writeFileSync(at('a.log.1.gz'), gzipSync(readFileSync(at('a.log'))))
      unlinkSync(at('a.log'))
    },
    renamed: () => renameSync(at('a.log'), at('a.log.1')),
    'copied anew': () => {
      copyFileSync(at('a.log'), at('new'))
      renameSync(at('new'), at('a.log'))
    },
  }
  const cases = Object.keys(rotations).flatMap(rotation =>
    ['a.log', 'a.log*'].flatMap(include =>
      [0, 1].flatMap(settled => [3, 2_500].map(count => [rotation, include, settled, count] as const)),
    ),
  )
  test.each(cases)('%s, of %s, after %i batches, of %i lines', async (rotation, include, settled, count) => {
    // By less, what was written again under the same name is not known.
    write('a.log', `the first${rotation === 'copied anew' ? 'x'.repeat(1_000) : ''}\n`)
    const manual = collectingIntake({ manual: true })
    const before = await started({ include: [include] }, manual)
    await manual.waitFor(1)
    if (settled > 0) manual.batches[0]?.settle()
    await polls(2)
    append('a.log', Array.from({ length: count }, (_, index) => `line ${index}\n`).join(''))
    await expect.poll(() => advanced(manual.records().length)).toBe(1 + count)
    const offered = manual.records().slice(settled)
    forgotten(before.receiver)
    rotations[rotation]?.()
    append('a.log', 'new\n')
    const { intake } = await started({ include: [include] })
    await expect
      .poll(() => advanced(bodies(intake).filter(text => text !== 'new').length))
      .toBe(1 - settled + count)
    const ids = new Map(intake.records().map(({ body, id }) => [String(body), id]))
    expect(offered.map(({ body }) => ids.get(String(body)))).toEqual(offered.map(({ id }) => id))
    await stopped(before.receiver)
  })
})

test.each(['a.log', 'a.log*'])('also what only a copy has that grew, of %s', async include => {
  const some = Array.from({ length: 100 }, (_, index) => `line ${index}\n`)
  write('a.log', some.slice(0, 40).join(''))
  const manual = collectingIntake({ manual: true })
  const before = await started({ include: [include] }, manual)
  await manual.waitFor(40)
  manual.batches[0]?.settle()
  copyFileSync(at('a.log'), at('a.log.1'))
  await polls(3)
  append('a.log', some.slice(40, 70).join(''))
  await expect.poll(() => advanced(manual.records().length)).toBe(70)
  manual.batches[1]?.settle()
  await polls(2)
  append('a.log', some.slice(70).join(''))
  await expect.poll(() => advanced(manual.records().length)).toBe(100)
  forgotten(before.receiver)
  append('a.log.1', some.slice(40).join(''))
  truncateSync(at('a.log'))
  append('a.log', 'new\n')
  const { intake } = await started({ include: [include] })
  await seen(intake, [...some.slice(70).map(line => line.trim()), 'new'])
  const ids = (of: typeof intake) => of.records().map(({ id }) => id)
  expect(ids(intake).slice(0, 30)).toEqual(ids(manual).slice(70))
  await stopped(before.receiver)
})

test('what a program writes anew after a kill, with the same first line, comes under ids of its own', async () => {
  write('a.log', 'server started\n')
  const manual = collectingIntake({ manual: true })
  const before = await started({}, manual)
  await manual.waitFor(1)
  forgotten(before.receiver)
  write('new', 'server started\n')
  renameSync(at('new'), at('a.log'))
  const { intake } = await started({})
  await seen(intake, ['server started'])
  expect(intake.records()[0]?.id).not.toBe(manual.records()[0]?.id)
  await stopped(before.receiver)
})

test('what was packed and deleted before it settled comes again under its ids after a kill', async () => {
  write('a.log', 'one\ntwo\n')
  const manual = collectingIntake({ manual: true })
  const before = await started({ include: ['a.log*'] }, manual)
  await manual.waitFor(2)
  writeFileSync(at('a.log.1.gz'), gzipSync(readFileSync(at('a.log'))))
  unlinkSync(at('a.log'))
  await polls(5)
  forgotten(before.receiver)
  const { intake } = await started({ include: ['a.log*'] })
  await seen(intake, ['one', 'two'])
  expect(intake.records().map(({ id }) => id)).toEqual(manual.records().map(({ id }) => id))
  await stopped(before.receiver)
})

// Of `a.log.1` there is only `a.log.2.gz`: it is known by its length, which is more than was delivered.
test('what was packed with a record that waited, and moved up, goes on after a kill', async () => {
  write('a.log.1', `${ERROR}2026-11-20 INFO waits\n`)
  const manual = collectingIntake({ manual: true })
  const config = { include: ['a.log*'], ...MULTILINE, force_flush_period: '1h' }
  const before = await started(config, manual)
  await expect.poll(() => advanced(manual.records().length)).toBe(1)
  manual.batches[0]?.settle()
  await polls(2)
  forgotten(before.receiver)
  writeFileSync(at('a.log.2.gz'), gzipSync(readFileSync(at('a.log.1'))))
  unlinkSync(at('a.log.1'))
  const { intake } = await started(config)
  await seen(intake, ['2026-11-20 INFO waits'])
  await stopped(before.receiver)
})

// Of one inode two contents are known, in the order of their ids, which are drawn by lot.
test.each(['ascending', 'descending'])(
  'a truncated file that was renamed and its copy that was moved up are both found after a kill, offsets %s',
  async order => {
    const store = stored()
    const offsetOf = (value: Uint8Array) => JSON.parse(Buffer.from(value).toString()).offset as number
    const sign = order === 'ascending' ? 1 : -1
    stored({
      ...store,
      range: async (...of) =>
        (await store.range(...of)).toSorted(([, a], [, b]) => sign * (offsetOf(a) - offsetOf(b))),
    })
    write('a.log', 'one\n')
    const manual = collectingIntake({ manual: true })
    const config = { include: ['a.log'] }
    const before = await started(config, manual)
    await manual.waitFor(1)
    append('a.log', 'two\n')
    copyFileSync(at('a.log'), at('a.log.1'))
    truncateSync(at('a.log'))
    await polls(4)
    manual.batches[0]?.settle()
    await expect.poll(async () => (await store.range('file/', 'file0', 9)).length).toBe(2)
    forgotten(before.receiver)
    append('a.log', 'three\n')
    renameSync(at('a.log.1'), at('a.log.2'))
    renameSync(at('a.log'), at('a.log.1'))
    write('a.log', 'four\n')
    const { intake } = await started(config)
    await seen(intake, ['two', 'three', 'four'])
    await stopped(before.receiver)
  },
)

test('what was copied before a kill is found, when no more than a letter of it was seen before it was offered', async () => {
  write('a.log', 'l')
  const manual = collectingIntake({ manual: true })
  const config = { include: ['a.log'] }
  const before = await started(config, manual)
  await polls(2)
  append('a.log', 'ine 0\n')
  await expect.poll(() => advanced(bodies(manual))).toEqual(['line 0'])
  forgotten(before.receiver)
  append('a.log', 'line 1\n')
  copyFileSync(at('a.log'), at('a.log.2'))
  truncateSync(at('a.log'))
  append('a.log', 'line 2\n')
  renameSync(at('a.log'), at('a.log.1'))
  write('a.log', 'line 3\n')
  const { intake } = await started(config)
  await seen(intake, ['line 0', 'line 1', 'line 2', 'line 3'])
  await stopped(before.receiver)
})

test('what is packed into the inode of a file that was empty when it was deleted is not read as that file', async () => {
  write('a.log.1', 'one\ntwo\n')
  write('a.log', '')
  const config = { include: ['a.log*'] }
  const before = await started(config)
  await seen(before.intake, ['one', 'two'])
  await stopped(before.receiver)
  renameSync(at('a.log'), at('a.log.1.gz'))
  writeFileSync(at('a.log.1.gz'), gzipSync(readFileSync(at('a.log.1'))))
  write('a.log', 'three\n')
  const { intake } = await started(config)
  await seen(intake, ['three'])
  await polls(5)
  expect(bodies(intake)).toEqual(['three'])
})
