import { describe, expect, test } from 'vitest'
import type { AlertRow } from '../messages.js'
import { severityClass, shown } from './filter.js'
import { NO_FILTERS } from './route.js'

const ALERTS = [
  alert('a', { severity: 'warning', host: 'db-1', firedAt: 3, duplicates: 9 }),
  alert('b', { severity: 'Critical', host: 'db-2', firedAt: 1, message: 'Disk 90% full' }),
  alert('c', { severity: 'P1', host: '', firedAt: 2, lastLine: 'ERROR <b>x</b>' }),
  alert('d', { severity: 'critical', pipeline: 'other', firedAt: 5 }),
]

describe('alerts that are shown', () => {
  test.each([
    [{}, ['d', 'b', 'a', 'c']],
    [{ sort: 'newest' }, ['d', 'a', 'c', 'b']],
    [{ sort: 'oldest' }, ['b', 'c', 'a', 'd']],
    [{ sort: 'count' }, ['a', 'd', 'c', 'b']],
    [{ severity: ['critical'] }, ['d', 'b']],
    [{ severity: ['critical'], pipeline: ['other'] }, ['d']],
    [{ host: [''] }, ['c']],
    [{ text: 'disk 90%' }, ['b']],
    [{ text: '<B>' }, ['c']],
    [{ text: 'db-', severity: ['warning', 'P1'] }, ['a']],
    [{ text: 'nothing like it' }, []],
  ])('%j: %j', (filters, ids) => {
    expect(shown(ALERTS, { ...NO_FILTERS, ...filters }).map(({ id }) => id)).toEqual(ids)
  })
})

test.each([
  ['critical', 'critical'],
  [' FATAL ', 'critical'],
  ['error3', 'error'],
  ['Warn', 'warning'],
  ['notice', 'info'],
  ['P1', 'other'],
  ['', 'other'],
  ['constructor', 'other'],
])('the severity %j looks like %s', (severity, look) => {
  expect(severityClass(severity)).toBe(look)
})

function alert(id: string, fields: Partial<AlertRow>): AlertRow {
  return {
    id,
    state: 'active',
    severity: 'info',
    message: 'Something',
    pipeline: 'logs',
    host: 'web',
    service: '',
    collector: 'one',
    firedAt: 0,
    lastAt: 0,
    duplicates: 0,
    lastLine: '',
    silencedBy: [],
    ...fields,
  }
}
