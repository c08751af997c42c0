import { expect, test } from 'vitest'
import { checkMade } from './check-made.js'

test.each([
  ['exporter', undefined, 'create() answered nothing; it must return the exporter'],
  ['receiver', null, 'create() answered null; it must return the receiver'],
  ['extension', Promise.resolve({}), 'create() answered a promise; what takes time belongs into start()'],
  ['receiver', { start() {} }, 'create() answered a receiver without stop, watermark'],
  [
    'processor',
    { step() {}, state: {} },
    'create() answered a processor without maxKeys, outcome, select, join',
  ],
  ['processor', { send: async () => 'ok' }, 'create() answered an object without process, step, operator'],
] as const)('a %s from create() that answered %s', (kind, made, message) => {
  expect(() => checkMade(kind, made)).toThrow(message)
})

test.each([
  ['exporter', { send: async () => 'ok' }],
  ['extension', {}],
] as const)('a %s', (kind, made) => {
  expect(() => checkMade(kind, made)).not.toThrow()
})
