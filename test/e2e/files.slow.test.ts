import { mkdirSync, renameSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  at,
  bodies,
  comesSome,
  follow,
  inFreshFolder,
  numbered,
  start,
  stop,
  write,
} from '../support/log-folder.js'

// What takes many files or many lines; the rest of it is in files.test.ts.

inFreshFolder()

describe('lines are neither lost, nor doubled, nor out of order', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)('by a stop (%s) in the middle of a rotation', async signal => {
    const old = numbered('old', 100_000)
    write('a.log', old)
    const first = await follow({ include: 'a.log' })
    await comesSome()
    renameSync(at('a.log'), at('a.log.1'))
    write('a.log', numbered('new', 100))
    await stop(first, signal)
    await follow({ include: 'a.log' })
    const all = `${old}${numbered('new', 100)}`.trim().split('\n')
    await expect.poll(() => new Set(bodies()).size, { timeout: 240_000, interval: 200 }).toBe(all.length)
    // After a kill some come again, under their ids.
    expect(signal === 'SIGTERM' ? bodies() : [...new Set(bodies())]).toEqual(all)
  })

  test('in a finite input that SIGTERM ends in the middle: the next start goes on', async () => {
    const text = numbered('line', 200_000)
    write('a.log', text)
    const first = start({ include: 'a.log', more: 'stop_at_end: true' })
    await comesSome()
    expect(await stop(first)).toMatchObject({ code: 0 })
    const count = bodies().length
    expect(count).toBeLessThan(200_000)
    const second = start({ include: 'a.log', more: 'stop_at_end: true' })
    expect(await second.finished).toMatchObject({ code: 0 })
    expect(bodies().join('\n')).toBe(text.trimEnd())
  })

  test('when all of more files than may be open are rotated at once', async () => {
    mkdirSync(at('many'))
    const names = Array.from({ length: 1_500 }, (_, index) => `many/${index}.log`)
    for (const name of names) write(name, 'one\ntwo\n')
    const command = await follow({ include: 'many/*.log' })
    await expect.poll(() => bodies().length, { timeout: 240_000, interval: 500 }).toBe(3_000)
    for (const name of names) {
      renameSync(at(name), at(`${name}.1`))
      write(name, `new ${name}\n`)
    }
    await expect.poll(() => bodies().length, { timeout: 240_000, interval: 500 }).toBe(4_500)
    expect(new Set(bodies().slice(3_000))).toEqual(new Set(names.map(name => `new ${name}`)))
    expect(await stop(command)).toMatchObject({ code: 0 })
  })
})
