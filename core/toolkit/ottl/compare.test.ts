import { describe, expect, it } from 'vitest'
import { COMPARE, type CompareOp } from './compare.js'
import { Duration, Time, type Value } from './values.js'

const OPS: readonly CompareOp[] = ['==', '!=', '<', '<=', '>', '>=']

/** Two values of each type, the smaller first; those without an order have undefined for the larger. */
const TYPES: { readonly [type: string]: readonly [Value, Value] } = {
  bool: [false, true],
  int: [3n, 4n],
  double: [3.5, 4.5],
  string: ['a', 'b'],
  bytes: [Buffer.from('01', 'hex'), Buffer.from('02', 'hex')],
  nil: [undefined, undefined],
  time: [new Time(1n), new Time(2n)],
  duration: [new Duration(1n), new Duration(2n)],
  map: [{ a: 1n }, { a: 2n }],
  list: [[1n], [2n]],
}
const ORDERED = new Set(['bool', 'int', 'double', 'string', 'bytes', 'time', 'duration'])
const NUMERIC = new Set(['int', 'double'])

function answers(a: Value, b: Value): string {
  return OPS.filter(op => COMPARE[op](a, b)).join(' ')
}

describe('comparing every type with every other', () => {
  for (const [left, [small, large]] of Object.entries(TYPES)) {
    for (const [right, [other]] of Object.entries(TYPES)) {
      if (left === right || (NUMERIC.has(left) && NUMERIC.has(right))) continue
      it(`${left} and ${right} are just not equal`, () => {
        expect(answers(small, other)).toBe('!=')
        expect(answers(large, other)).toBe('!=')
      })
    }
    if (left === 'nil') continue
    it(`${left} and ${left} ${ORDERED.has(left) ? 'are in order' : 'know only equality'}`, () => {
      const ordered = ORDERED.has(left)
      expect(answers(small, small)).toBe(ordered ? '== <= >=' : '==')
      expect(answers(small, large)).toBe(ordered ? '!= < <=' : '!=')
      expect(answers(large, small)).toBe(ordered ? '!= > >=' : '!=')
    })
  }
})

describe('comparing', () => {
  it.each<[Value, Value, string]>([
    [undefined, undefined, '== <= >='],
    [undefined, null, '== <= >='],
    [null, 0n, '!='],
    [null, '', '!='],
    [null, Buffer.alloc(0), '!='],
    [3n, 3, '== <= >='],
    [3n, 3.5, '!= < <='],
    [3.5, 3n, '!= > >='],
    // Integers of 64 bits are exact among themselves and doubles against doubles.
    [9007199254740993n, 9007199254740992n, '!= > >='],
    [9007199254740993n, 9007199254740992, '== <= >='],
    [Number.NaN, Number.NaN, '!='],
    [Number.NaN, 1n, '!='],
    [-0, 0, '== <= >='],
    ['', 'a', '!= < <='],
    ['a', 'ab', '!= < <='],
    ['10', '9', '!= < <='],
    // By code point as in UTF-8, not by UTF-16 unit.
    ['\uff5e', '\u{1f600}', '!= < <='],
    [Buffer.from('01', 'hex'), Buffer.from('0100', 'hex'), '!= < <='],
    [[], [], '=='],
    [[1n, 'a', undefined], [1n, 'a', null], '=='],
    [[1n], [1], '!='],
    [{}, {}, '=='],
    [{ a: 1n, b: [true] }, { b: [true], a: 1n }, '=='],
    [{ a: 1n }, { a: 1n, b: undefined }, '!='],
    [{ a: 1n }, [1n], '!='],
    [new Time(5n), new Time(5n), '== <= >='],
    [new Time(5n), new Duration(5n), '!='],
    [true, 1n, '!='],
    ['true', true, '!='],
  ])('%o and %o: %s', (a, b, expected) => {
    expect(answers(a, b)).toBe(expected)
  })

  it('looks into maps for own keys only', () => {
    expect(COMPARE['==']({ toString: 1n }, { valueOf: 1n })).toBe(false)
  })
})
