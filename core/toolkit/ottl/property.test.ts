import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { createRecord, fromJson } from '../../model/index.js'
import { calculate } from './arithmetic.js'
import {
  checkCondition,
  checkStatement,
  compileCondition,
  compileStatements,
  OttlError,
  OttlEvalError,
} from './index.js'

const record = createRecord({
  id: '1',
  body: 'text',
  severityNumber: 9,
  attributes: fromJson({ a: { b: 1 }, list: [1, 'x'] }) as never,
})

const CONDITIONS = [
  'attributes["alert"]["skip_webhook"] == false and not IsMatch(body, "(?i)fail[a-z]+\\\\d")',
  '(severity_number + 1) * 2 >= SEVERITY_NUMBER_WARN or Split(body, ",")[0] != "x"',
  'Concat([attributes["a"], 1.5, 0xC0FFEE], "-") == nil or time > Time("2025", "%Y")',
]
const STATEMENTS = [
  'set(attributes["a"]["b"], ParseJSON(body)["x"]) where attributes["list"][0] == 1',
  'replace_pattern(body, "a(b+)", "$1-${x}", SHA256, "<%s>")',
  'merge_maps(attributes, {"k": [1, true, {"z": nil}]}, "upsert")',
]
const PIECES = [
  ...[
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ',',
    '.',
    ':',
    '=',
    '==',
    '!=',
    '<',
    '+',
    '-',
    '*',
    '/',
    '"',
    '\\',
    "'",
    '$',
  ],
  ...[
    ' and ',
    ' or ',
    'not ',
    ' where ',
    'nil',
    'true',
    '"a"',
    '1',
    '.5',
    '0xff',
    '99999999999999999999',
    '\n',
  ],
  ...[
    'attributes',
    'body',
    'resource',
    'cache',
    'severity_number',
    'IsMatch',
    'Int',
    'set',
    'delete_key',
    'SHA256',
  ],
  ...['__proto__', 'constructor', 'é', '\u0000', '\u{1f600}', '\ud800', 'SEVERITY_NUMBER_INFO', '%'],
]

const mutated = (texts: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...texts),
      fc.array(fc.tuple(fc.nat(200), fc.nat(12), fc.constantFrom('', ...PIECES)), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([text, edits]) =>
      edits.reduce(
        (now, [at, cut, piece]) =>
          now.slice(0, at % (now.length + 1)) + piece + now.slice((at % (now.length + 1)) + cut),
        text,
      ),
    )

const anyText = (texts: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    mutated(texts),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map(pieces => pieces.join('')),
    fc.string({ unit: 'binary', maxLength: 60 }),
  )

describe('whatever the text', () => {
  it('a condition compiles or is an OttlError with its place, and testing throws nothing else than OttlEvalError', () => {
    fc.assert(
      fc.property(anyText(CONDITIONS), text => {
        const problem = checkCondition(text)
        if (problem) {
          expect(problem.offset).toBeGreaterThanOrEqual(0)
          expect(problem.offset).toBeLessThanOrEqual(text.length)
          expect(() => compileCondition(text, { now: () => 0n })).toThrow(OttlError)
          return
        }
        try {
          expect(typeof compileCondition(text, { now: () => 0n }).test(record)).toBe('boolean')
        } catch (error) {
          expect(error).toBeInstanceOf(OttlEvalError)
        }
      }),
      runs(3_000, 300),
    )
  })

  it('a statement compiles or is an OttlError, and running throws nothing else than OttlEvalError', () => {
    fc.assert(
      fc.property(anyText(STATEMENTS), text => {
        if (checkStatement(text)) return
        try {
          const after = compileStatements([text], {
            errorMode: 'propagate',
            onError: () => {},
            now: () => 0n,
          }).run([record])
          expect(after).toHaveLength(1)
        } catch (error) {
          expect(error).toBeInstanceOf(OttlEvalError)
        }
      }),
      runs(3_000, 300),
    )
  })
})

describe('size', () => {
  it('is bounded: long and deep texts are refused, wide ones work', () => {
    expect(checkCondition(`body == "${'x'.repeat(20_000)}"`)?.message).toContain('at most 16384 characters')
    for (const [open, close] of [
      ['(', ')'],
      ['[', ']'],
      ['Len(', ')'],
      ['{"a":', '}'],
    ] as const) {
      const deep = `1 == ${open.repeat(1_000)}1${close.repeat(1_000)}`
      expect(checkCondition(deep)?.message).toContain('nested more than 50 deep')
    }
    const wide = [
      `${'not '.repeat(4_000)}true`,
      `1${'+1'.repeat(8_000)} == 8001`,
      Array.from({ length: 1_000 }, () => 'true').join(' and '),
      Array.from({ length: 1_000 }, () => '1 == 2')
        .join(' or ')
        .concat(' or true'),
    ]
    for (const text of wide) expect(compileCondition(text).test(record)).toBe(true)
  })

  // What takes more time than in proportion does not come to its end within a test.
  it('costs time in proportion: every hostile text is answered', () => {
    for (const text of [
      '"'.repeat(16_000),
      '\\"'.repeat(8_000),
      'a.'.repeat(8_000),
      '-'.repeat(16_000),
      `"${'\\'.repeat(16_000)}`,
    ]) {
      expect(checkCondition(text)?.message).toEqual(expect.any(String))
    }
    const long = (body: string) => createRecord({ id: '1', body })
    for (const expression of [
      'Duration(body) == nil',
      'Double(body) == nil',
      'Int(body) == nil',
      'ToCamelCase(body) == nil',
      'ToSnakeCase(body) == nil',
      'ParseCSV(body, "a") == nil',
      'ParseKeyValue(body) == nil',
      'ParseInt(body, 10) == nil',
      'ParseJSON(body) == nil',
      'Format(body, [1]) == nil',
      'Trim(body) == nil',
      'Base64Decode(body) == nil',
      'IsInCIDR(body, ["10.0.0.0/8"])',
      'Time(body, "%Y-%m-%d %H:%M:%S") == nil',
    ]) {
      const condition = compileCondition(expression)
      for (const unit of ['1', '0', '_', '\n', ' ', '=', '"', '%0', '[', 'a.', 'A', '\\', '\u0000']) {
        const record = long(`x${unit.repeat(50_000)}!`)
        const other = long(`${unit.repeat(50_000)}!`)
        for (const each of [record, other]) {
          try {
            expect(condition.test(each)).toEqual(expect.any(Boolean))
          } catch (error) {
            if (!(error instanceof OttlEvalError)) throw error
          }
        }
      }
    }
    const regex = compileCondition('IsMatch(body, "(a+)+$")')
    expect(regex.test(long(`${'a'.repeat(50_000)}b`))).toBe(false)
  })
})

describe('a random expression means what its parts mean', () => {
  type Sum = { readonly text: string; readonly value: bigint }
  const { sum } = fc.letrec<{ sum: Sum }>(tie => ({
    sum: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.bigInt({ min: -(1n << 62n), max: 1n << 62n }).map((value): Sum => ({ text: String(value), value })),
      fc.tuple(tie('sum'), fc.constantFrom('+', '-', '*', '/'), tie('sum')).map(([a, op, b]): Sum => {
        const divisor = op === '/' && b.value === 0n ? { text: '1', value: 1n } : b
        return {
          text: `(${a.text} ${op} ${divisor.text})`,
          value: calculate(op, a.value, divisor.value) as bigint,
        }
      }),
    ),
  }))

  it('in arithmetic', () => {
    fc.assert(
      fc.property(sum, ({ text, value }) => {
        expect(compileCondition(`${text} == ${value}`).test(record)).toBe(true)
      }),
      runs(300, 100),
    )
  })

  it('in precedence: without brackets as JavaScript reads it', () => {
    const operand = fc.integer({ min: 0, max: 99 })
    const tail = fc.array(fc.tuple(fc.constantFrom('+', '-', '*'), operand), { maxLength: 6 })
    fc.assert(
      fc.property(operand, tail, (first, rest) => {
        const products: number[][] = [[1, first]]
        for (const [op, number] of rest) {
          if (op === '*') products.at(-1)?.push(number)
          else products.push([op === '-' ? -1 : 1, number])
        }
        const value = products.reduce((total, factors) => total + factors.reduce((a, b) => a * b, 1), 0)
        const text = `${first}${rest.map(([op, number]) => ` ${op} ${number}`).join('')}`
        expect(compileCondition(`${text} == ${value}`).test(record)).toBe(true)
      }),
      runs(300, 100),
    )
  })

  type Logic = { readonly text: string; readonly value: boolean }
  const { logic } = fc.letrec<{ logic: Logic }>(tie => ({
    logic: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom<Logic>(
        { text: 'true', value: true },
        { text: 'attributes["a"]["b"] == 1', value: true },
        { text: 'body != "text"', value: false },
        { text: 'IsMatch(body, "^t")', value: true },
        { text: 'severity_number < 9', value: false },
      ),
      tie('logic').map(({ text, value }) => ({ text: `not (${text})`, value: !value })),
      fc.array(tie('logic'), { minLength: 2, maxLength: 4 }).map(parts => ({
        text: parts.map(part => `(${part.text})`).join(' and '),
        value: parts.every(part => part.value),
      })),
      fc.array(tie('logic'), { minLength: 2, maxLength: 4 }).map(parts => ({
        text: parts.map(part => `(${part.text})`).join(' or '),
        value: parts.some(part => part.value),
      })),
    ),
  }))

  it('in logic', () => {
    fc.assert(
      fc.property(logic, ({ text, value }) => {
        fc.pre(text.length < 16_000)
        expect(compileCondition(text).test(record)).toBe(value)
      }),
      runs(300, 100),
    )
  })
})
