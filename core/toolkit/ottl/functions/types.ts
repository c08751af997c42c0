import { isBytes } from '../../../model/any-value.js'
import { OttlEvalError } from '../errors.js'
import { anything, type Converter, converter, param } from '../signature.js'
import { textOf, typeNoun, typeOf, type Value, type ValueType } from '../values.js'

const value = param('value', anything)

/**
 * What a value is, and the same value as another type. `Int` of a text that is none is nil, `Double` and `Bool` of
 * one are errors: so it is in the Collector.
 */
export const TYPE_CONVERTERS: readonly Converter[] = [
  is('IsString', 'string'),
  is('IsInt', 'int'),
  is('IsDouble', 'double'),
  is('IsBool', 'bool'),
  is('IsMap', 'map'),
  is('IsList', 'list'),
  converter('IsEmpty', [value], 'bool', isEmpty),
  converter('Int', [value], 'any', toInt),
  converter('Double', [value], 'any', toDouble),
  converter('Bool', [value], 'any', toBool),
  converter('String', [value], 'any', textOf),
  converter('Log', [value], 'double', logarithm),
  converter('Hex', [value], 'string', toHex),
]

function is(name: string, type: ValueType): Converter {
  return converter(name, [value], 'bool', given => typeOf(given) === type)
}

function isEmpty(given: Value): boolean {
  if (given === undefined || given === null || given === '' || given === false) return true
  if (given === 0 || given === 0n) return true
  if (isBytes(given)) return given.every(byte => byte === 0)
  const type = typeOf(given)
  return (type === 'map' || type === 'list') && Object.keys(given as object).length === 0
}

function toInt(given: Value): Value {
  if (typeof given === 'bigint') return given
  if (typeof given === 'boolean') return given ? 1n : 0n
  if (typeof given === 'number') return Math.abs(given) < 2 ** 63 ? BigInt(Math.trunc(given)) : undefined
  if (typeof given !== 'string' || !/^[+-]?\d{1,19}$/.test(given)) return undefined
  const int = BigInt(given.replace('+', ''))
  return BigInt.asIntN(64, int) === int ? int : undefined
}

function toDouble(given: Value): Value {
  if (typeof given === 'number') return given
  if (typeof given === 'bigint') return Number(given)
  if (typeof given === 'boolean') return given ? 1 : 0
  if (typeof given !== 'string') return undefined
  if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(given)) return Number(given)
  throw new OttlEvalError('the text is no number')
}

/** The natural logarithm of what `Double` makes of the value. */
function logarithm(given: Value): number {
  const number = toDouble(given)
  if (typeof number !== 'number')
    throw new OttlEvalError(`expected a number, found ${typeNoun(typeOf(given))}`)
  if (!(number > 0)) throw new OttlEvalError('only a number above 0 has a logarithm')
  return Math.log(number)
}

function toBool(given: Value): Value {
  if (typeof given === 'boolean') return given
  if (typeof given === 'number') return given !== 0
  if (typeof given === 'bigint') return given !== 0n
  if (given === undefined || given === null) return undefined
  if (typeof given !== 'string')
    throw new OttlEvalError(`cannot make a boolean of ${typeNoun(typeOf(given))}`)
  if (/^(?:1|t|T|true|TRUE|True)$/.test(given)) return true
  if (/^(?:0|f|F|false|FALSE|False)$/.test(given)) return false
  throw new OttlEvalError('the text is no boolean: they are 1, t, true, 0, f and false')
}

function toHex(given: Value): string {
  if (given === undefined || given === null) return ''
  if (typeof given === 'string') return Buffer.from(given).toString('hex')
  if (typeof given === 'boolean') return given ? '01' : '00'
  if (isBytes(given)) return Buffer.from(given).toString('hex')
  const eight = Buffer.alloc(8)
  if (typeof given === 'bigint') eight.writeBigInt64BE(given)
  else if (typeof given === 'number') eight.writeDoubleBE(given)
  else throw new OttlEvalError(`cannot write ${typeNoun(typeOf(given))} in hex`)
  return eight.toString('hex')
}
