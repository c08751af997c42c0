import { copyFileSync, existsSync, renameSync, truncateSync, unlinkSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bodies, fileLogWorld, later } from '../../test/support/file-log.js'

const { at, write, started, stopped, looked, seen } = fileLogWorld()

const copy = (from: string, to: string) => copyFileSync(at(from), at(to))
// `cp app.log.1 app.log.2; cp app.log app.log.1`: each copy has a time of its own, later than what it holds.
const shift = () => {
  for (let index = 3; index > 0; index--)
    if (existsSync(at(`a.log.${index}`))) copy(`a.log.${index}`, `a.log.${index + 1}`)
}
const rotations: Record<string, (writeNew: () => void) => (() => void)[]> = {
  'copied and removed': writeNew => [
    shift,
    () => copy('a.log', 'a.log.1'),
    () => unlinkSync(at('a.log')),
    writeNew,
  ],
  'moved away and copied': writeNew => [
    shift,
    () => renameSync(at('a.log'), at('tmp')),
    writeNew,
    () => copy('tmp', 'a.log.1'),
    () => unlinkSync(at('tmp')),
  ],
  'copied and truncated': writeNew => [
    shift,
    () => copy('a.log', 'a.log.1'),
    () => truncateSync(at('a.log')),
    writeNew,
  ],
}

test.each(
  Object.keys(rotations).flatMap(way =>
    ['a.log', 'a.log*'].flatMap(include =>
      ['restarts', 'looks and restarts'].map(between => [way, include, between] as const),
    ),
  ),
)('a line each, copies of copies: %s, %s, with %s', async (way, include, between) => {
  write('a.log', 'generation 0\n')
  const got: string[] = []
  let { intake, receiver } = await started({ include: [include] })
  const restart = async () => {
    await stopped(receiver)
    got.push(...bodies(intake))
    ;({ intake, receiver } = await started({ include: [include] }))
  }
  await seen(intake, ['generation 0'])
  await looked(receiver)
  for (let index = 1; index <= 3; index++) {
    for (const step of rotations[way]?.(() => write('a.log', `generation ${index}\n`)) ?? []) {
      step()
      await later()
      if (between === 'looks and restarts') await looked(receiver)
    }
    await looked(receiver)
    await restart()
  }
  await looked(receiver)
  expect([...got, ...bodies(intake)]).toEqual([0, 1, 2, 3].map(index => `generation ${index}`))
})
