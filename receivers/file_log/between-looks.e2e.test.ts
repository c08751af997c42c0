import { copyFileSync, existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { collectingIntake } from 'tocsin/testing'
import { expect, test, vi } from 'vitest'
import { bodies, fileLogWorld, later } from '../../test/support/file-log.js'
import { Folders } from './folders.js'
import { OpenedFile } from './opened-file.js'

const { at, write, append, started, stopped, forgotten, looked, polls, seen } = fileLogWorld()

const copies: Record<string, (name: string) => void> = {
  'a.log.1': name => {
    for (let index = 3; index > 0; index--)
      if (existsSync(at(`a.log.${index}`))) renameSync(at(`a.log.${index}`), at(`a.log.${index + 1}`))
    copyFileSync(at('a.log'), at(name))
  },
  // In the place of the last one.
  'a.log.old': name => copyFileSync(at('a.log'), at(name)),
  'a.log.1.gz': name => writeFileSync(at(name), gzipSync(readFileSync(at('a.log')))),
  'a.log-20261129': name => copyFileSync(at('a.log'), at(name)),
  'a-20261129.log': name => copyFileSync(at('a.log'), at(name)),
}
const states: Record<string, readonly string[]> = {
  empty: [],
  'all read': ['one\n'],
  'half a line': ['one\n', 'ha'],
  'only half a line': ['ha'],
  'emptied, with a copy': ['one\n', 'rotate'],
  'emptied, without a copy': ['one\n', 'truncate'],
}

const afterwards: Record<string, readonly [restart: boolean, more: string]> = {
  'then empty': [false, ''],
  'then empty, after a restart': [true, ''],
  'then written to': [false, 'new\n'],
  'then written to, after a restart': [true, 'new\n'],
}
const cases = [
  ...Object.keys(states).flatMap(state =>
    Object.keys(afterwards).map(then => ['a.log', 'a.log.1', state, then] as const),
  ),
  ...Object.keys(states).map(state => ['a.log*', 'a.log.1', state, 'then written to'] as const),
  ...Object.keys(copies).flatMap(copy => [
    ['a.log', copy, 'empty', 'then empty'] as const,
    ['a.log', copy, 'emptied, with a copy', 'then written to, after a restart'] as const,
    ['a.log', copy, 'all read', 'then written to'] as const,
  ]),
]

/** What a rotation by copy and truncate does, all of it between two looks at the disk, or while nothing runs. */
test.each(cases)(
  'copied and truncated between two looks, %s as %s: %s before, %s',
  async (include, copy, state, then) => {
    const [restart, more] = afterwards[then] as [boolean, string]
    const rotate = () => {
      copies[copy]?.(copy)
      truncateSync(at('a.log'))
    }
    const config = { include: [include] }
    write('a.log', '')
    let { intake, receiver } = await started(config)
    await looked(receiver)
    for (const step of states[state] as string[]) {
      if (step === 'rotate') rotate()
      else if (step === 'truncate') truncateSync(at('a.log'))
      else append('a.log', step)
      await looked(receiver)
      await looked(receiver)
      await later()
    }
    const got: string[] = []
    if (restart) {
      await stopped(receiver)
      got.push(...bodies(intake))
    }
    append('a.log', 'late\n')
    await later()
    rotate()
    append('a.log', more)
    if (restart) ({ intake, receiver } = await started(config))
    const late = state.endsWith('half a line') ? 'halate' : 'late'
    const before = states[state]?.includes('one\n') ? ['one', late] : [late]
    const all = [...before, ...(more ? ['new'] : [])].slice(got.length)
    await seen(intake, all)
    await polls(5)
    append('a.log', 'end\n')
    await seen(intake, [...all, 'end'])
    await polls(2)
    expect(bodies(intake)).toEqual([...all, 'end'])
  },
)

test.each([
  ['while it runs', false],
  ['while nothing runs', true],
])(
  'a copy that is made of a file that was empty, and goes on: what is in it comes once, %s',
  async (_, restart) => {
    write('a.log', '')
    let { intake, receiver } = await started({})
    await looked(receiver)
    await later()
    if (restart) await stopped(receiver)
    append('a.log', 'one\n')
    copyFileSync(at('a.log'), at('a.log.1'))
    writeFileSync(at('a.log.2.gz'), gzipSync(readFileSync(at('a.log'))))
    append('a.log', 'two\n')
    if (restart) ({ intake, receiver } = await started({}))
    await seen(intake, ['one', 'two'])
    await polls(3)
    append('a.log', 'three\n')
    copyFileSync(at('a.log'), at('a.log.1'))
    truncateSync(at('a.log'))
    await seen(intake, ['one', 'two', 'three'])
    await polls(3)
    expect(bodies(intake)).toEqual(['one', 'two', 'three'])
  },
)

test('the live log of another program that only looks alike is not taken for a copy', async () => {
  write('a.log', '')
  const { intake, receiver } = await started({ include: ['a.log'] })
  await looked(receiver)
  await later()
  write('a-1.log', 'of another\n')
  append('a.log', 'one\n')
  await seen(intake, ['one'])
  truncateSync(at('a.log'))
  await looked(receiver)
  append('a-1.log', 'of another\n')
  append('a.log', 'two\n')
  await seen(intake, ['one', 'two'])
  await polls(3)
  expect(bodies(intake)).toEqual(['one', 'two'])
})

test('two rotations between two looks, of which a restart is told while the last of what was read settles', async () => {
  write('a.log', 'one\n')
  const manual = collectingIntake({ manual: true })
  const config = { include: ['a.log'] }
  const before = await started(config, manual)
  await manual.waitFor(1)
  await looked(before.receiver)
  for (const more of ['two\n', 'three\n']) {
    await later()
    copies['a.log.1']?.('a.log.1')
    truncateSync(at('a.log'))
    append('a.log', more)
  }
  await polls(2)
  manual.batches[0]?.settle()
  await later()
  forgotten(before.receiver)
  const { intake } = await started(config)
  await seen(intake, ['two', 'three'])
  await stopped(before.receiver)
})

test.each([
  ['while it runs', false],
  ['while nothing ran', true],
])('a second rotation that comes while the copy of the first is looked for, %s', async (_, restart) => {
  write('a.log', 'one\n')
  let { intake, receiver } = await started({})
  await seen(intake, ['one'])
  await looked(receiver)
  await later()
  if (restart) await stopped(receiver)
  const rotate = (more: string) => {
    append('a.log', more)
    copies['a.log.1']?.('a.log.1')
    truncateSync(at('a.log'))
  }
  const open = OpenedFile.open
  let isFirst = true
  const spied = vi.spyOn(OpenedFile, 'open').mockImplementation((path, ...rest) => {
    if (path === at('a.log.1') && isFirst) {
      isFirst = false
      rotate('three\n')
    }
    return open(path, ...rest)
  })
  rotate('two\n')
  if (restart) ({ intake, receiver } = await started({}))
  const all = restart ? ['two', 'three'] : ['one', 'two', 'three']
  await seen(intake, all)
  spied.mockRestore()
  append('a.log', 'end\n')
  await seen(intake, [...all, 'end'])
})

test('a rotation between the look at the names and that at the files hides none', async () => {
  write('a.log.1', 'one\n')
  const folders = new Folders()
  expect(await folders.rotatedFrom(at('a.log'))).toHaveLength(1)
  await later()
  renameSync(at('a.log.1'), at('a.log.2'))
  write('a.log.1', 'two\n')
  const paths = (await folders.rotatedFrom(at('a.log'))).map(({ path }) => path)
  expect(paths).toEqual([at('a.log.1'), at('a.log.2')])
})

test('what an empty file held between the last look and a rename while nothing ran', async () => {
  write('a.log', 'one\n')
  const config = { include: ['a.log'] }
  const before = await started(config)
  await seen(before.intake, ['one'])
  truncateSync(at('a.log'))
  await looked(before.receiver)
  await looked(before.receiver)
  await later()
  append('a.log', 'two\n')
  copies['a.log.1']?.('a.log.1')
  truncateSync(at('a.log'))
  await stopped(before.receiver)
  await later()
  append('a.log', 'three\n')
  renameSync(at('a.log.1'), at('a.log.2'))
  renameSync(at('a.log'), at('a.log.1'))
  write('a.log', 'four\n')
  const { intake, receiver } = await started(config)
  await seen(intake, ['two', 'three', 'four'])
  await stopped(receiver)
})
