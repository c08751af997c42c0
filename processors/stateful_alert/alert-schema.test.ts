import { describe, expect, test } from 'vitest'
import { type AlertSchema, formatAlertSchema, parseAlertSchema } from './alert-schema.js'

const S = 1_000_000_000n
const once = { mode: 'immediate', count: 1, windowNs: 0n, recoveryCount: 1, recoveryWindowNs: 0n }

test.each([
  ['immediate', { ...once, expireNs: 0n }],
  ['immediate,3600', { ...once, expireNs: 3600n * S }],
  [' Immediate , 1 ', { ...once, expireNs: S }],
  ['threshold,3,300,1,60', threshold(3, 300n, 1, 60n, 0n)],
  ['threshold,5,60,2,120,1800', threshold(5, 60n, 2, 120n, 1800n)],
  ['THRESHOLD, 1000 ,1,1000,1', threshold(1000, 1n, 1000, 1n, 0n)],
])('%s', (text, schema) => {
  expect(parseAlertSchema(text)).toEqual(schema)
})

describe('malformed', () => {
  test.each([
    ['', 'the schema is empty'],
    ['  ', 'the schema is empty'],
    ['immediately', '"immediately" is no alert schema'],
    ['thresold,3,300,1,60', '"thresold,3,300,1,60" is no alert schema'],
    ['immediate,', 'E is ""'],
    ['immediate,0', 'E is "0"'],
    ['immediate,-1', 'E is "-1"'],
    ['immediate,1.5', 'E is "1.5"'],
    ['immediate,1h', 'E is "1h"'],
    ['immediate,1,2', 'immediate takes 0 or 1 numbers, here are 2'],
    ['threshold', 'threshold takes 4 or 5 numbers, here are 0'],
    ['threshold,3,300,1', 'threshold takes 4 or 5 numbers, here are 3'],
    ['threshold,3,300,1,60,1800,9', 'threshold takes 4 or 5 numbers, here are 6'],
    ['threshold,0,300,1,60', 'N is "0"'],
    ['threshold,3,0,1,60', 'T is "0"'],
    ['threshold,3,300,0,60', 'M is "0"'],
    ['threshold,3,300,1,0', 'W is "0"'],
    ['threshold,3,300,1,60,0', 'E is "0"'],
    ['threshold,three,300,1,60', 'N is "three"'],
    ['threshold,1e2,300,1,60', 'N is "1e2"'],
    ['threshold,1001,300,1,60', 'N is 1001'],
    ['threshold,3,300,1001,60', 'M is 1001'],
    ['immediate,3153600001', 'E is 3153600001'],
    ['immediate;60', '"immediate;60" is no alert schema'],
  ])('%j', (text, message) => {
    const problem = parseAlertSchema(text)
    expect(problem).toMatchObject({ message })
    expect('fix' in problem && problem.fix).toBeTruthy()
  })
})

test.each(['immediate', 'immediate,60', 'threshold,3,300,1,60', 'threshold,3,300,2,60,1800'])(
  '%s is written as it was read',
  text => {
    expect(formatAlertSchema(parseAlertSchema(` ${text.replace(',', ' , ')} `) as AlertSchema)).toBe(text)
  },
)

function threshold(
  count: number,
  window: bigint,
  recoveryCount: number,
  recoveryWindow: bigint,
  expire: bigint,
) {
  const windows = { windowNs: window * S, recoveryWindowNs: recoveryWindow * S, expireNs: expire * S }
  return { mode: 'threshold', count, recoveryCount, ...windows }
}
