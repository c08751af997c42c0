import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import { parseAlertSchema } from './alert-schema.js'
import { readCsv, TableProblem } from './csv.js'

const HEADER = 'alert_pattern,recovery_pattern,normalized_message,severity,alert_schema'

/** Text that is nearly a table: what breaks readers stands close together in it. */
const nearlyCsv = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '"',
        '""',
        ',',
        '\n',
        '\r\n',
        '\r',
        ' ',
        '\u0000',
        '\ufeff',
        'immediate',
        'threshold,3,300,1,60',
      ),
      fc.string({ maxLength: 8 }),
    ),
    { maxLength: 60 },
  )
  .map(parts => parts.join(''))

describe('any text', () => {
  test('is an alert schema, or is told what is wrong', () => {
    const pieces = fc.constantFrom(
      'immediate',
      'threshold',
      ',',
      ' ',
      '-',
      '1',
      '0',
      '99999999999999999999',
      '1e3',
      'x',
    )
    const text = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 12 }).map(parts => parts.join('')),
    )
    fc.assert(
      fc.property(text, value => {
        const result = parseAlertSchema(value)
        if ('message' in result) expect(result.fix).not.toBe('')
        else
          for (const number of Object.values(result))
            if (typeof number !== 'string') expect(number >= 0).toBe(true)
      }),
      runs(2_000),
    )
  })

  test('below a header gives rows and faults with their lines, and spoils no row after it', () => {
    fc.assert(
      fc.property(nearlyCsv, text => {
        const last = 'LAST,,Last Row,critical,immediate'
        const rows = [...readCsv(`${HEADER}\n${text}\n"${'\n'.repeat(100)}\n${last}\n`, {})]
        const lines = rows.map(row => row.line)
        expect(lines).toEqual([...lines].sort((a, b) => a - b))
        expect(rows.at(-1)).toMatchObject({
          cells: { alert_pattern: 'LAST', normalized_message: 'Last Row' },
        })
      }),
      runs(500),
    )
  })

  test('is a table, or a TableProblem', () => {
    fc.assert(
      fc.property(fc.oneof(nearlyCsv, fc.string()), text => {
        try {
          for (const row of readCsv(text, {})) expect(row.line).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toBeInstanceOf(TableProblem)
        }
      }),
      runs(500),
    )
  })

  test('of one long run of a character is read in a time that grows with it', () => {
    for (const character of ['"', ',', '\n', 'a', '"\n', '",']) {
      const rows = [...readCsv(`${HEADER}\n${character.repeat(60_000)}`, {})]
      expect(rows.length).toBeLessThanOrEqual(60_001)
    }
  })
})
