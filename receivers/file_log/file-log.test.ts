import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { collectingIntake, receiverConformance } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { bodies, fileLogConfig, fileLogWorld, numbered } from '../../test/support/file-log.js'
import type { FileLogConfig } from './config.js'
import { fileLogReceiver } from './index.js'

const { at, write, append, started, stopped, now, stored, passed, polls, advanced, seen } = fileLogWorld({})

describe('conformance', () => {
  const checks = receiverConformance<FileLogConfig>({
    factory: fileLogReceiver,
    rereads: true,
    source: () => {
      const path = at('conformance.log')
      writeFileSync(path, '')
      let fed = 0
      return {
        config: fileLogConfig({ include: [path] }),
        feed: count => {
          const lines = Array.from({ length: count }, () => `line ${++fed}.`)
          appendFileSync(path, lines.map(line => `${line}\n`).join(''))
          return lines
        },
      }
    },
  })
  test.each(checks.map(check => [check.name, check] as const))('%s', (_name, check) => check.run())
})

describe('lines', () => {
  test('are bodies without line ends, each with the id of its file and offset', async () => {
    write('a.log', 'one\r\n\nthree\tä\n')
    const { intake } = await started({ start_at: 'beginning' })
    const records = await intake.waitFor(3)
    expect(records.map(record => record.body)).toEqual(['one', '', 'three\tä'])
    expect(records.map(record => record.id.split(':')[1])).toEqual(['0', '5', '6'])
    expect(new Set(records.map(record => record.id.split(':')[0])).size).toBe(1)
    expect(Buffer.from(records[2]!.bodyBytes()).toString()).toBe('three\tä')
    expect(records[0]!.attributes).toEqual({ 'log.file.name': 'a.log' })
    expect(records[0]!.observedTimestamp).toBe(now())
  })

  test('are taken only when they are complete', async () => {
    write('a.log', 'half a ')
    const { intake } = await started({ start_at: 'beginning' })
    await polls(5)
    expect(bodies(intake)).toEqual([])
    append('a.log', 'line\nnext')
    await seen(intake, ['half a line'])
  })

  test('that are not UTF-8 are kept with replacements, and do not spoil others', async () => {
    writeFileSync(at('a.log'), Buffer.from([0x61, 0xff, 0x0a, 0x00, 0xc3, 0xa4, 0x0a]))
    const { intake } = await started({ start_at: 'beginning' })
    const records = await intake.waitFor(2)
    expect(bodies(intake)).toEqual(['a\ufffd', 'ä'])
    expect(Buffer.from(records[0]!.bodyBytes()).toString()).toBe('a\ufffd')
  })

  test('begin behind a byte order mark', async () => {
    write('a.log', '\ufeffone\n')
    const { intake } = await started({ start_at: 'beginning' })
    await seen(intake, ['one'])
  })

  test('longer than max_log_size are split without loss', async () => {
    const long = 'ä€'.repeat(200)
    write('a.log', `short\n${long}\nend\n`)
    const { intake } = await started({ start_at: 'beginning', max_log_size: 100 })
    await expect.poll(() => bodies(intake).at(-1)).toBe('end')
    const pieces = bodies(intake).slice(1, -1)
    expect(pieces.join('')).toBe(long)
    expect(pieces.every(piece => Buffer.byteLength(piece) <= 100)).toBe(true)
  })

  test('come in batches of at most 1,000', async () => {
    write('a.log', `${Array.from({ length: 2_500 }, (_, index) => `line ${index}`).join('\n')}\n`)
    const { intake } = await started({ start_at: 'beginning' })
    await intake.waitFor(2_500)
    expect(intake.batches.map(batch => batch.records.length)).toEqual([1_000, 1_000, 500])
  })

  test.each([
    ['utf-16le', Buffer.from('\ufeffäö\r\n€ 😀\n', 'utf16le')],
    ['utf-16be', Buffer.from('\ufeffäö\r\n€ 😀\n', 'utf16le').swap16()],
    ['gb18030', Buffer.from([0x81, 0x30, 0x8a, 0x31, 0x0a])],
    ['latin1', Buffer.from('äö\r\n', 'latin1')],
  ])('in %s are decoded', async (encoding, bytes) => {
    writeFileSync(at('a.log'), bytes)
    const { intake } = await started({ start_at: 'beginning', encoding })
    await expect.poll(() => bodies(intake).length).toBeGreaterThan(0)
    const expected = new TextDecoder(encoding).decode(bytes).split(/\r?\n/).slice(0, -1)
    expect(bodies(intake)).toEqual(expected)
  })

  test('carry the configured attributes and resource', async () => {
    write('a.log', 'one\n')
    const { intake } = await started({
      start_at: 'beginning',
      include_file_name: false,
      include_file_path: true,
      attributes: { team: 'shop' },
      resource: { 'service.name': 'cart' },
    })
    const [record] = await intake.waitFor(1)
    expect(record!.attributes).toEqual({ team: 'shop', 'log.file.path': at('a.log') })
    expect(record!.resource.attributes).toEqual({ 'service.name': 'cart' })
  })
})

describe('multiline', () => {
  test('a start pattern begins a record, and silence ends the last', async () => {
    write('a.log', 'ERROR one\n  at a\n  at b\nERROR two\n  at c\n')
    const { intake } = await started({ start_at: 'beginning', multiline: { line_start_pattern: '^\\S' } })
    await seen(intake, ['ERROR one\n  at a\n  at b'])
    append('a.log', '  at d\n')
    await seen(intake, ['ERROR one\n  at a\n  at b', 'ERROR two\n  at c\n  at d'])
    append('a.log', 'ERROR three\n')
    await passed(1_000)
    await seen(intake, ['ERROR one\n  at a\n  at b', 'ERROR two\n  at c\n  at d', 'ERROR three'])
  })

  test('an end pattern ends a record', async () => {
    write('a.log', 'begin\nwork;\nnext;\nrest')
    const { intake } = await started({
      start_at: 'beginning',
      stop_at_end: true,
      multiline: { line_end_pattern: ';$' },
    })
    await expect.poll(() => intake.ended).toBe(true)
    expect(bodies(intake)).toEqual(['begin\nwork;', 'next;', 'rest'])
  })

  test('a record longer than max_log_size is split between lines', async () => {
    write('a.log', `start\n${'x'.repeat(60)}\n${'y'.repeat(60)}\nstart\n`)
    const { intake } = await started({
      start_at: 'beginning',
      stop_at_end: true,
      max_log_size: 100,
      multiline: { line_start_pattern: '^start' },
    })
    await expect.poll(() => intake.ended).toBe(true)
    expect(bodies(intake)).toEqual([`start\n${'x'.repeat(60)}`, 'y'.repeat(60), 'start'])
  })
})

describe('where reading starts', () => {
  test('is the end for files that are there, the beginning for later ones', async () => {
    write('a.log', 'old\nbegun ')
    const { intake } = await started({})
    append('a.log', 'line\n')
    write('b.log', 'new file\n')
    await expect.poll(() => advanced(bodies(intake).length)).toBe(2)
    expect(bodies(intake).sort()).toEqual(['begun line', 'new file'])
  })

  test('stop_at_end reads every file to its end, with a last line that has no line end', async () => {
    write('b.log', 'b1\nb2')
    write('a.log', 'a1\na2\n')
    write('c.txt', 'no')
    const { intake } = await started({ start_at: 'beginning', stop_at_end: true })
    await expect.poll(() => intake.ended).toBe(true)
    expect(bodies(intake).sort()).toEqual(['a1', 'a2', 'b1', 'b2'])
  })

  test('patterns that match no file are a warning, and end at once with stop_at_end', async () => {
    const { intake, context } = await started({ stop_at_end: true })
    await expect.poll(() => intake.ended).toBe(true)
    expect(context.logs.filter(entry => entry.level === 'warn').map(entry => entry.message)).toEqual([
      'No file matches yet.',
    ])
  })

  test('exclude leaves files out', async () => {
    mkdirSync(at('sub'))
    write('sub/a.log', 'a\n')
    write('sub/b.log', 'b\n')
    const { intake } = await started({
      include: ['**/*.log'],
      exclude: ['**/b*'],
      start_at: 'beginning',
      stop_at_end: true,
    })
    await expect.poll(() => intake.ended).toBe(true)
    expect(bodies(intake)).toEqual(['a'])
  })
})

describe('rotation', () => {
  test('by rename: what is left in the old file comes before the new one', async () => {
    write('a.log', '1\n')
    const { intake } = await started({ start_at: 'beginning' })
    await seen(intake, ['1'])
    append('a.log', '2\n')
    renameSync(at('a.log'), at('a.log.1'))
    write('a.log', '3\n')
    await seen(intake, ['1', '2', '3'])
    append('a.log.1', 'late\n')
    await seen(intake, ['1', '2', '3', 'late'])
    expect(new Set(intake.records().map(record => record.attributes['log.file.name']))).toEqual(
      new Set(['a.log']),
    )
  })

  test('into a name that the patterns find too repeats nothing', async () => {
    write('a.log', '1\n')
    const { intake } = await started({ include: ['a.log*'], start_at: 'beginning' })
    await seen(intake, ['1'])
    append('a.log', '2\n')
    renameSync(at('a.log'), at('a.log.1'))
    write('a.log', '3\n')
    await seen(intake, ['1', '2', '3'])
  })

  test.each([['a.log'], ['a.log*']])('by copy and truncate, with %s', async include => {
    write('a.log', '1\n')
    const { intake } = await started({ include: [include], start_at: 'beginning' })
    await seen(intake, ['1'])
    append('a.log', '2\n')
    copyFileSync(at('a.log'), at('a.log.1'))
    truncateSync(at('a.log'))
    append('a.log', '3\n')
    await seen(intake, ['1', '2', '3'])
    expect(new Set(intake.records().map(record => record.id)).size).toBe(3)
    await polls(5)
    expect(bodies(intake)).toEqual(['1', '2', '3'])
  })

  test('a file that grew past the old position after it was truncated is read from its start', async () => {
    write('a.log', 'first\n')
    const { intake } = await started({ start_at: 'beginning' })
    await seen(intake, ['first'])
    writeFileSync(at('a.log'), 'a much longer line\nand another\n')
    await seen(intake, ['first', 'a much longer line', 'and another'])
  })

  test('a deleted file is read to its end, and let go', async () => {
    write('a.log', '1\n')
    const { intake, receiver } = await started({ start_at: 'beginning', storage: 'disk' })
    await seen(intake, ['1'])
    append('a.log', '2\nunfinished')
    rmSync(at('a.log'))
    await seen(intake, ['1', '2'])
    for (let turn = 0; turn < 8; turn++) {
      await passed(10_000)
      await polls(3)
    }
    await seen(intake, ['1', '2', 'unfinished'])
    await expect.poll(async () => advanced((await stored().range('file/', 'file0', 10)).length)).toBe(0)
    await stopped(receiver)
  })

  test('two files that begin alike are both read', async () => {
    write('a.log', 'started\n')
    const { intake } = await started({ start_at: 'beginning' })
    await seen(intake, ['started'])
    write('b.log', 'started\n')
    await seen(intake, ['started', 'started'])
    expect(new Set(intake.records().map(record => record.id)).size).toBe(2)
  })

  test('more files than may be open are all followed', async () => {
    for (let index = 0; index < 9; index++) write(`${index}.log`, `begin ${index}\n`)
    const { intake } = await started({ start_at: 'beginning', max_concurrent_files: 2 })
    await expect.poll(() => advanced(bodies(intake).length)).toBe(9)
    for (let index = 0; index < 9; index++) append(`${index}.log`, `more ${index}\n`)
    await expect.poll(() => advanced(bodies(intake).length)).toBe(18)
    renameSync(at('0.log'), at('0.log.1'))
    append('0.log.1', 'moved\n')
    write('0.log', 'new\n')
    await expect.poll(() => advanced(bodies(intake).slice(18))).toEqual(['moved', 'new'])
  })
})

describe('what the service learns', () => {
  test('the watermark is the time when all was last found read', async () => {
    write('a.log', numbered(0, 10))
    const intake = collectingIntake()
    intake.setBusy({ busy: true, retryAfterMs: 100, reason: 'queue_full' })
    const { receiver } = await started({ start_at: 'beginning' }, intake)
    await polls(3)
    expect(receiver.watermark()).toBeUndefined()
    intake.setBusy(undefined)
    await intake.waitFor(10)
    await polls(3)
    const read = now()
    await expect.poll(() => advanced((receiver.watermark() ?? 0n) >= read)).toBe(true)
    expect(receiver.watermark()).toBeLessThanOrEqual(now())
  })

  test('a file that may not be read is a recoverable error with its name', async () => {
    const uid = process.getuid?.()
    write('a.log', 'one\n')
    chmodSync(at('a.log'), 0)
    chmodSync(at('.'), 0o755)
    if (uid === 0) process.seteuid?.(65_534)
    try {
      const { context } = await started({ start_at: 'beginning' })
      await expect.poll(() => context.statuses.at(-1)?.message).toContain(at('a.log'))
      expect(context.statuses.at(-1)?.status).toBe('recoverable_error')
      if (uid === 0) process.seteuid?.(0)
      chmodSync(at('a.log'), 0o644)
      await expect.poll(() => advanced(context.statuses.at(-1)?.status)).toBe('ok')
    } finally {
      if (uid === 0) process.seteuid?.(0)
    }
  })

  test('mistakes in the configuration are named', () => {
    const check = (config: Partial<FileLogConfig>) =>
      fileLogReceiver.check?.(fileLogConfig(config)).map(problem => problem.path.join('.'))
    expect(check({ encoding: 'utf-9' })).toEqual(['encoding'])
    expect(check({ encoding: 'iso-2022-jp' })).toEqual(['encoding'])
    expect(check({ multiline: {} })).toEqual(['multiline'])
    expect(check({})).toEqual([])
  })
})
