import { expect, test } from 'vitest'
import { explain, isReadOnly } from './explain.js'

const PEER = { where: 'redis:6379', tls: false, cluster: false }
/** As Redis 6.2 says it of a command in a script; Redis 7 begins with the code. */
const inScript = (error: string) =>
  new Error(`ERR Error running script (call to f_9fbc): @user_script:24: @user_script: 24: -${error}`)

test.each([
  ["READONLY You can't write against a read only replica.", 'redis_read_only'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'redis_out_of_memory'],
  [
    'MISCONF Redis is configured to save RDB snapshots, but it is unable to persist on disk.',
    'redis_unwritable',
  ],
])('%s: by any version of Redis', (text, code) => {
  expect([explain(new Error(text), PEER).code, explain(inScript(text), PEER).code]).toEqual([code, code])
})

test('a replica is known by either', () => {
  const text = "READONLY You can't write against a read only replica."
  expect([isReadOnly(new Error(text)), isReadOnly(inScript(text)), isReadOnly(inScript('OOM x'))]).toEqual([
    true,
    true,
    false,
  ])
})
