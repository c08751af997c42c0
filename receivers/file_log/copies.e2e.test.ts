import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { gzipSync } from 'node:zlib'
import { collectingIntake } from 'tocsin/testing'
import { describe, expect, test, vi } from 'vitest'
import {
  bodies,
  ERROR,
  fileLogWorld,
  later,
  lines,
  MULTILINE,
  warnings,
} from '../../test/support/file-log.js'
import type { FileLogConfig } from './config.js'
import { OpenedFile } from './opened-file.js'

const { at, write, append, started, stopped, forgotten, passed, polls, looked, advanced, seen, ended } =
  fileLogWorld()

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

  test.each([0, 1, 2])(
    'read to the end and settled up to batch %i come again from there after a kill',
    async settled => {
      const all = lines('x', 2_500).trim().split('\n')
      writeFileSync(at('a.log.1.gz'), gzipSync(lines('x', 2_500)))
      const config = { include: ['a.log*'] }
      const manual = collectingIntake({ manual: true })
      const before = await started(config, manual)
      await expect.poll(() => advanced(manual.records().length), { timeout: 60_000 }).toBe(2_500)
      await looked(before.receiver)
      for (const batch of manual.batches.slice(0, settled)) batch.settle()
      await expect
        .poll(() => advanced(manual.batches.filter(({ released }) => released).length), { timeout: 60_000 })
        .toBe(settled)
      forgotten(before.receiver)
      const after = await started(config)
      await expect
        .poll(() => advanced(bodies(after.intake)), { timeout: 60_000 })
        .toEqual(all.slice(settled * 1_000))
    },
  )

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
    await seen(intake, [ERROR.trimEnd()])
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
