import { expect, test } from 'vitest'
import type { StatefulAlertConfig } from './config.js'
import { sharedTable } from './shared-tables.js'

const HEADER = 'alert_pattern,recovery_pattern,normalized_message,severity,alert_schema\n'
const text = `${HEADER}ERROR,OK,Failed,critical,immediate\n`
const config = { match_mode: 'contain', ignore_case: false, lookup_table: { location: 'a.csv' } }
const of = (more: object = {}) => ({ ...config, ...more }) as unknown as StatefulAlertConfig

test('what reads a text in the same way gets the same table, wherever the text is from', async () => {
  const [first, second] = await Promise.all([
    sharedTable(text, of()),
    sharedTable(text, of({ lookup_table: { location: 'b.csv' }, hash_keys: ['host.name'] })),
  ])
  expect(second).toBe(first)
  expect(await sharedTable(text, of())).toBe(first)
})

test.each([
  ['another text', `${text}\n`, {}],
  ['another mode', text, { match_mode: 'regex' }],
  ['another mode of recoveries', text, { recovery_match_mode: 'regex' }],
  ['case', text, { ignore_case: true }],
  ['a delimiter', text, { lookup_table: { location: 'a.csv', delimiter: ',' } }],
  ['columns', text, { lookup_table: { location: 'a.csv', columns: { alert_pattern: 'alert_pattern' } } }],
])('%s is another table', async (_, other, more) => {
  const first = await sharedTable(text, of())
  expect(await sharedTable(other, of(more))).not.toBe(first)
})

test('a table that cannot be read is tried anew', async () => {
  await expect(sharedTable('nothing\n', of())).rejects.toThrow('alert_pattern')
  await expect(sharedTable('nothing\n', of())).rejects.toThrow('alert_pattern')
})
