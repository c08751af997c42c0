import {
  copyFileSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { bodies, ERROR, fileLogWorld, later, MULTILINE } from '../../test/support/file-log.js'

const { at, write, append, started, passed, polls, looked, advanced, seen, first } = fileLogWorld()

const patterns = ['a.log', 'a.log*']
const shapes: Record<string, object> = {
  'line by line': {},
  multiline: { ...MULTILINE, force_flush_period: '1h' },
}
const olderCopies = patterns.flatMap(include =>
  ['a.log.1', 'a.log.1.gz'].map(copy => [include, copy] as const),
)
const FIRST = '2026-11-20 INFO first\n'
const NEW = '2026-11-20 INFO new\n'
const LAST = '2026-11-20 INFO last\n'
const [ERROR_LINES, NEW_LINES] = [ERROR.trimEnd(), NEW.trimEnd()]

describe('a file that is empty since it was truncated', () => {
  test.each(
    Object.keys(shapes).flatMap(shape => ['a.log.1', 'a.log.1.gz'].map(copy => [shape, copy] as const)),
  )('does not wait for what is written to it to be known by its copy, %s, %s', async (shape, copy) => {
    write('a.log', FIRST)
    const config = { ...shapes[shape], force_flush_period: '1s', include: ['a.log*'] }
    const { intake, receiver } = await started(config)
    await seen(intake, [FIRST.trimEnd()])
    // An older one that comes later is awaited.
    write('a.log.2', '2026-11-19 INFO old\n')
    utimesSync(at('a.log.2'), 1_700_000_000, 1_700_000_000)
    await seen(intake, [FIRST.trimEnd(), '2026-11-19 INFO old'])
    append('a.log', '2026-11-20 INFO more\n')
    copied(copy)
    truncateSync(at('a.log'))
    await seen(intake, [FIRST.trimEnd(), '2026-11-19 INFO old', '2026-11-20 INFO more'])
    await looked(receiver)
  })
})

describe('what waited in a file that was truncated', () => {
  const config = shapes.multiline

  test.each(patterns)(
    'comes though nothing is written, and before what is copied then, of %s',
    async include => {
      write('a.log', FIRST)
      const { intake, receiver } = await started({ ...config, include: [include] })
      await looked(receiver)
      renameSync(at('a.log'), at('a.log.1'))
      write('a.log', ERROR)
      await seen(intake, [FIRST.trimEnd()])
      await looked(receiver)
      truncateSync(at('a.log'))
      await seen(intake, [FIRST.trimEnd(), ERROR_LINES])
      renameSync(at('a.log.1'), at('a.log.2'))
      append('a.log', NEW)
      copyFileSync(at('a.log'), at('a.log.1'))
      truncateSync(at('a.log'))
      append('a.log', LAST)
      await seen(intake, [FIRST.trimEnd(), ERROR_LINES, NEW_LINES])
    },
  )

  test.each(olderCopies)('comes when an older copy has nothing of it, of %s, %s', async (include, copy) => {
    write('a.log', FIRST)
    const { intake, receiver } = await started({ ...MULTILINE, force_flush_period: '1s', include: [include] })
    await seen(intake, [FIRST.trimEnd()])
    copied(copy)
    await later()
    append('a.log', ERROR)
    await looked(receiver)
    truncateSync(at('a.log'))
    await seen(intake, [FIRST.trimEnd(), ERROR_LINES])
    await polls(4)
    expect(intake.records()).toHaveLength(2)
  })

  test.each(olderCopies)('comes when an older copy has a part of it, of %s, %s', async (include, copy) => {
    write('a.log', FIRST)
    const { intake, receiver } = await started({ ...MULTILINE, force_flush_period: '1s', include: [include] })
    await seen(intake, [FIRST.trimEnd()])
    append('a.log', ERROR.slice(0, 22))
    copied(copy)
    await later()
    append('a.log', ERROR.slice(22))
    await looked(receiver)
    truncateSync(at('a.log'))
    await seen(intake, [FIRST.trimEnd(), ERROR_LINES])
    await polls(4)
    expect(intake.records()).toHaveLength(2)
  })

  test.each(patterns)('comes when what was rotated since holds other lines, of %s', async include => {
    write('a.log', ERROR)
    const { intake, receiver } = await started({ ...config, include: [include] })
    await looked(receiver)
    truncateSync(at('a.log'))
    await polls(1)
    append('a.log', NEW)
    copyFileSync(at('a.log'), at('a.log.1'))
    truncateSync(at('a.log'))
    append('a.log', LAST)
    await first(intake, [ERROR_LINES, NEW_LINES])
    await polls(4)
    expect(bodies(intake)).toEqual([ERROR_LINES, NEW_LINES])
  })

  test.each(patterns)(
    'is taken from the copy that has more, and not from an older one, of %s',
    async include => {
      write('a.log', FIRST)
      const { intake, receiver } = await started({ ...config, include: [include] })
      await looked(receiver)
      append('a.log', ERROR)
      await seen(intake, [FIRST.trimEnd()])
      copyFileSync(at('a.log'), at('a.log.1'))
      await looked(receiver)
      await later()
      append('a.log', NEW)
      copyFileSync(at('a.log'), at('a.log.2'))
      truncateSync(at('a.log'))
      append('a.log', LAST)
      await seen(intake, [FIRST.trimEnd(), ERROR_LINES, NEW_LINES])
    },
  )
})

test.each(patterns.flatMap(include => [FIRST, ''].map(before => [include, before] as const)))(
  'a file that was copied and truncated and then renamed between two looks: each once, of %s, behind %j',
  async (include, before) => {
    write('a.log', `${before}${ERROR}`)
    const { intake, receiver } = await started({ ...MULTILINE, force_flush_period: '1h', include: [include] })
    await looked(receiver)
    const got = before ? [before.trimEnd()] : []
    await seen(intake, got)
    await later()
    append('a.log', NEW)
    copied('a.log.2')
    truncateSync(at('a.log'))
    append('a.log', LAST)
    renameSync(at('a.log'), at('a.log.1'))
    write('a.log', FIRST)
    await seen(intake, [...got, ERROR_LINES, NEW_LINES, LAST.trimEnd()])
  },
)

test.each(patterns)(
  'a record that waits in a copy does not come from what that is packed to, of %s',
  async include => {
    write('a.log', `${FIRST}${ERROR}`)
    const { intake, receiver } = await started({ ...MULTILINE, force_flush_period: '1h', include: [include] })
    await seen(intake, [FIRST.trimEnd()])
    copied('a.log.1')
    truncateSync(at('a.log'))
    await looked(receiver)
    await looked(receiver)
    await later()
    append('a.log', NEW)
    writeFileSync(at('a.log.2.gz'), gzipSync(readFileSync(at('a.log.1'))))
    unlinkSync(at('a.log.1'))
    copied('a.log.1')
    truncateSync(at('a.log'))
    await looked(receiver)
    append('a.log', LAST)
    await seen(intake, [FIRST.trimEnd(), ERROR_LINES, NEW_LINES])
    await polls(5)
    expect(intake.records()).toHaveLength(3)
  },
)

test('an empty file that waited for another and was rotated away is closed after a minute', async () => {
  write('a.log', FIRST)
  const { intake, receiver } = await started({ include: ['a.log'] })
  await seen(intake, [FIRST.trimEnd()])
  for (const name of ['a.log.1', 'a.log.2']) {
    renameSync(at('a.log'), at(name))
    write('a.log', '')
    await looked(receiver)
  }
  expect(openFiles()).toBe(3)
  await passed(61_000)
  await expect.poll(() => advanced(openFiles())).toBe(1)
})

function copied(name: string): void {
  const text = readFileSync(at('a.log'))
  writeFileSync(at(name), name.endsWith('.gz') ? gzipSync(text) : text)
}

function openFiles(): number {
  const links = readdirSync('/proc/self/fd').map(fd => readlinkIfThere(`/proc/self/fd/${fd}`))
  return links.filter(link => link.startsWith(at('a.log'))).length
}

function readlinkIfThere(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
