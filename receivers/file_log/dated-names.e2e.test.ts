import { appendFileSync, chmodSync, utimesSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { bodies, fileLogWorld, later } from '../../test/support/file-log.js'

const { at, write, append, started, stopped, looked, polls, advanced, seen } = fileLogWorld()

/** More than one read takes. */
const long = (word: string) =>
  Array.from({ length: 300 }, (_, index) => `${word} ${index} ${'x'.repeat(2_000)}`)
const text = (words: readonly string[]) => `${words.join('\n')}\n`
const days = ['first', 'second', 'third']
const backlog = days.flatMap(long)

const NAMES: Record<string, readonly string[]> = {
  'a date inside': ['app-2026-11-28.log', 'app-2026-11-29.log', 'app-2026-11-30.log'],
  'a date behind': ['app.log.20261128', 'app.log.20261129', 'app.log.20261130'],
  'a date in front': ['2026-11-30-app.log', '2026-12-01-app.log', '2026-12-02-app.log'],
  'hours, and a number': ['app_2026112823.log', 'app_2026112900.log', 'app_2026112900.1.log'],
  'a date without a century': ['u_ex261128.log', 'u_ex261129.log', 'u_ex261201.log'],
  'a packed one': ['app-2026-11-28.log.gz', 'app-2026-11-29.log', 'app-2026-11-30.log'],
}

describe('a program that begins a file of another name each day: the oldest comes first', () => {
  const put = (name: string, word: string) => {
    const bytes = Buffer.from(text(long(word)))
    appendFileSync(at(name), name.endsWith('.gz') ? gzipSync(bytes) : bytes)
  }
  const cases = Object.keys(NAMES).flatMap(kind => ['with', 'against'].map(times => [kind, times] as const))

  test.each(cases)('at the first start: %s, and %s what times say', async (kind, times) => {
    const names = NAMES[kind] as string[]
    for (const [index, name] of names.entries()) {
      put(name, days[index] as string)
      const seconds = 1_800_000_000 + (times === 'with' ? index : -index) * 60
      utimesSync(at(name), seconds, seconds)
    }
    const { intake } = await started({ include: ['*'] })
    await seen(intake, backlog)
  })

  test.each(cases)('after a restart: %s, and %s what times say', async (kind, times) => {
    const names = NAMES[kind] as string[]
    if (!names[0]?.endsWith('.gz')) write(names[0] as string, 'known\n')
    else write('app-2026-11-27.log', 'known\n')
    const config = { include: ['*'] }
    const before = await started(config)
    await seen(before.intake, ['known'])
    await stopped(before.receiver)
    for (const [index, name] of names.entries()) {
      put(name, days[index] as string)
      const seconds = 1_800_000_000 + (times === 'with' ? index : -index) * 60
      utimesSync(at(name), seconds, seconds)
    }
    const { intake } = await started(config)
    await seen(intake, backlog)
  })

  test('also while it runs, with days without a line', async () => {
    write('app-2026-11-28.log', 'known\n')
    const { intake } = await started({ include: ['app-*.log'] })
    await seen(intake, ['known'])
    append('app-2026-11-28.log', text(long('first')))
    await later()
    write('app-2026-11-29.log', '')
    await later()
    write('app-2026-11-30.log', text(long('second')))
    await later()
    write('app-2026-12-01.log', text(long('third')))
    await seen(intake, ['known', ...backlog])
  })

  test('one that cannot be read holds up no other', async () => {
    const isRoot = process.getuid?.() === 0
    write('app-2026-11-28.log', 'one\n')
    write('app-2026-11-29.log', 'two\n')
    write('app-2026-11-30.log', 'three\n')
    chmodSync(at('app-2026-11-28.log'), 0)
    chmodSync(at('.'), 0o755)
    if (isRoot) process.seteuid?.(65_534)
    try {
      const { intake } = await started({ include: ['app-*.log'] })
      await seen(intake, ['two', 'three'])
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })
})

test.each([
  ['numbers', 'app-web-1.log', 'app-web-2.log'],
  ['numbers of processes', 'app-12345.log', 'app-12346.log'],
  ['names and the same date', 'app-web-2026-11-28.log', 'app-db-2026-11-28.log'],
  ['numbers behind the same date', '2026-11-28-web-1.log', '2026-11-28-web-2.log'],
])('files of several programs do not wait for each other: %s', async (_, one, other) => {
  write(one, 'a\nhalf')
  write(other, 'b\nhalf')
  const { intake, receiver } = await started({ include: ['*'] })
  await expect.poll(() => advanced(bodies(intake).sort())).toEqual(['a', 'b'])
  append(one, ' a\n')
  await looked(receiver)
  append(other, ' b\n')
  await looked(receiver)
  await polls(8)
  expect(bodies(intake).slice().sort()).toEqual(['a', 'b', 'half a', 'half b'])
})
