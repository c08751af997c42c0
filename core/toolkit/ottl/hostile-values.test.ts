import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runs } from '../../../test/support/property.js'
import { createRecord } from '../../model/index.js'
import { convertersWith } from './functions/index.js'
import { checkStatement, compileStatements, OttlEvalError } from './index.js'
import type { Param } from './signature.js'

// An error that is no OttlEvalError passes every error_mode and costs a whole batch.
const HOSTILE = fc.oneof(
  fc.constantFrom(
    ...[
      null,
      '',
      'a',
      '\ud800',
      '0',
      '-1',
      '9'.repeat(40),
      '1e400',
      '0000-00-00 00:00:00',
      '9999-12-31 23:59:59',
    ],
    ...[
      '(',
      '[',
      '%',
      '"',
      'a=b',
      '1,2',
      '{"a":1}',
      '['.repeat(2_000),
      '::1',
      '10.0.0.0/8',
      'http://h/%',
      '1h',
    ],
    ...[0n, 1n, -1n, 5n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n), 99_999_999_999n],
    ...[1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e308, 1e21, true],
    ...[Buffer.alloc(0), Buffer.from([255, 254]), Buffer.alloc(16)],
  ),
  fc.constantFrom(
    [],
    [1n, 'a'],
    ['a', null, [1n]],
    [1n, 2.5, Number.NaN],
    {},
    { info: [{ equals: ['a'] }, 1n] },
  ),
)

const TIMES = [
  'time',
  'Unix(attributes["0"])',
  'Unix(attributes["1"]) + Duration("1h")',
  'Time(attributes["0"], "%F %T")',
]
const SPANS = ['Duration(attributes["0"])', 'time - Unix(attributes["0"])']

/** An argument that reads a record, as far as the parameter takes any but a literal. */
function argument({ name, kind }: Param, index: number): fc.Arbitrary<string> {
  if (kind.takes === 'literal') return fc.constant(name === 'format' ? '"%F %T"' : '"Europe/Paris"')
  if (kind.accepts('time') && !kind.accepts('string')) return fc.constantFrom(...TIMES)
  if (kind.accepts('duration') && !kind.accepts('string')) return fc.constantFrom(...SPANS)
  const path = `attributes["${index}"]`
  return fc.constantFrom(path, `[${path}, attributes["3"]]`, ...(kind.accepts('time') ? TIMES : []))
}

const call = fc.constantFrom(...convertersWith(() => 0n).values()).chain(({ name, params }) =>
  fc.tuple(fc.nat(params.length), ...params.map(argument)).map(([left, ...args]) => {
    const optional = params.filter(param => param.optional).length
    return `${name}(${args.slice(0, params.length - Math.min(left, optional)).join(', ')})`
  }),
)

it('whatever a record holds, a converter answers or throws an OttlEvalError', () => {
  fc.assert(
    fc.property(call, fc.array(HOSTILE, { minLength: 4, maxLength: 4 }), (text, values) => {
      for (const statement of [
        `set(attributes["out"], ${text})`,
        `set(attributes["out"], String(${text}))`,
      ]) {
        fc.pre(checkStatement(statement) === undefined)
        const record = createRecord({
          id: '1',
          timestamp: 2n ** 64n - 1n,
          attributes: Object.fromEntries(values.entries()) as never,
        })
        try {
          const statements = compileStatements([statement], {
            errorMode: 'propagate',
            onError: () => {},
            now: () => 0n,
          })
          expect(statements.run([record])).toHaveLength(1)
        } catch (error) {
          if (!(error instanceof OttlEvalError)) throw error
        }
      }
    }),
    runs(1_500, 500),
  )
})
