import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import type { ConfigSchema } from '../component/index.js'
import type { FormatCheckers } from './formats.js'
import { Validator } from './validator.js'

const NO_FORMATS = {} as FormatCheckers

const SCHEMA: ConfigSchema = {
  type: 'object',
  required: ['a'],
  properties: {
    a: { type: 'number', minimum: 1 },
    b: {
      type: 'object',
      properties: { a: { type: 'string', minLength: 1 }, c: { type: 'array', items: { enum: [1, 'x'] } } },
    },
    c: { type: 'array', minItems: 1, items: { type: 'object', properties: { a: { type: 'boolean' } } } },
    d: { type: 'object', additionalProperties: { type: 'number' } },
  },
  anyOf: [{ required: ['b'] }, { required: ['c'], properties: { d: { type: 'object', required: ['a'] } } }],
}

const { value } = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(0, 1, 2, '', 'x', true, null),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), tie('value'), { maxKeys: 4 }),
  ),
}))

it('finds what the whole schema finds, whatever it was asked before', () => {
  const whole = new Validator(NO_FORMATS)
  for (const each of [{}, { a: 0 }]) whole.validate(each, SCHEMA)
  const said = (validator: Validator, each: unknown) =>
    validator
      .validate(each, SCHEMA)
      .map(({ instancePath, keyword, params }) => ({ instancePath, keyword, params }))
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 3 }), values => {
      const asked = new Validator(NO_FORMATS)
      for (const each of values) expect(said(asked, each)).toEqual(said(whole, each))
    }),
    runs(),
  )
})
