import { spawnSync } from 'node:child_process'
import { appendFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bodies, fileLogWorld, later } from '../../test/support/file-log.js'

// Files as real tools make and move them.

const { at, write, append, started, stopped, polls, advanced, seen } = fileLogWorld()

const hasLogrotate = spawnSync('logrotate', ['--version']).status === 0

describe.skipIf(!hasLogrotate)("Debian's logrotate", () => {
  test.each([
    'create',
    'copytruncate',
    'create\ncompress',
    'copytruncate\ncompress\ndelaycompress',
    'create\ndateext\ndateformat -%Y%m%d-%s',
  ])('with %s loses, doubles and disorders nothing, also while nothing runs', async options => {
    const conf = at('rotate.conf')
    writeFileSync(conf, `"${at('a.log')}" {\nrotate 9\nmissingok\n${options}\n}\n`, { mode: 0o644 })
    const logs = at('a.log')
    const rotate = () => {
      const { status, stderr } = spawnSync('logrotate', ['-f', '-s', at('state'), conf])
      expect(status, String(stderr)).toBe(0)
    }
    const all: string[] = []
    const say = (text: string) => {
      all.push(text)
      appendFileSync(logs, `${text}\n  at x\n`)
    }
    const config = { multiline: { line_start_pattern: '^\\S' } }
    say('2026 one')
    const before = await started(config)
    await polls(4)
    say('2026 two')
    await polls(1)
    rotate()
    say('2026 three')
    await expect.poll(() => advanced(bodies(before.intake))).toEqual(all.map(text => `${text}\n  at x`))
    await stopped(before.receiver)
    say('2026 four')
    await later(1_100)
    rotate()
    say('2026 five')
    await later(1_100)
    rotate()
    say('2026 six')
    const { intake } = await started(config)
    await expect.poll(() => advanced(bodies(intake))).toEqual(all.slice(3).map(text => `${text}\n  at x`))
  })
})

test('a pipe behind a symbolic link is a recoverable error; the files beside it are read', async () => {
  spawnSync('mkfifo', [at('pipe')])
  symlinkSync(at('pipe'), at('stdout.log'))
  write('a.log', 'one\n')
  // A name that a rotated copy may have, and that is looked at when the file is truncated.
  spawnSync('mkfifo', [at('a.log.1')])
  const { intake, context } = await started({})
  await seen(intake, ['one'])
  expect(context.statuses.at(-1)).toMatchObject({
    status: 'recoverable_error',
    message: expect.stringContaining('stdout.log is no regular file'),
  })
  truncateSync(at('a.log'))
  await polls(2)
  append('a.log', 'two\n')
  await seen(intake, ['one', 'two'])
})
