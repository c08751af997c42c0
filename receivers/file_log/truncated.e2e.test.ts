import { copyFileSync, readFileSync, renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, test } from 'vitest'
import { ERROR, fileLogWorld, MULTILINE } from '../../test/support/file-log.js'

const { at, write, append, started, looked, seen } = fileLogWorld()

const patterns = ['a.log', 'a.log*']
const shapes: Record<string, object> = {
  'line by line': {},
  multiline: { ...MULTILINE, force_flush_period: '1h' },
}
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
    const text = readFileSync(at('a.log'))
    writeFileSync(at(copy), copy.endsWith('.gz') ? gzipSync(text) : text)
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
})
