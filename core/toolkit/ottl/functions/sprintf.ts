import { isBytes } from '../../../model/any-value.js'
import { textOf, typeOf, type Value } from '../values.js'

const SPECIFIER = /%([-+# 0]{0,8})(\d{1,4})?(?:\.(\d{1,3}))?([a-zA-Z%])/g
const MAX_WIDTH = 1_000

/**
 * Go's fmt.Sprintf for the verbs v s q d x X o b c e f g t and %%, with flags, width and precision. As in Go
 * a wrong argument never fails: `%!d(string=x)`, `%!d(MISSING)`, `%!(EXTRA string=x)`.
 */
export function sprintf(format: string, args: readonly Value[]): string {
  let next = 0
  const text = format.replace(SPECIFIER, (_, flags: string, width, precision, verb: string) => {
    if (verb === '%') return '%'
    if (next >= args.length) return `%!${verb}(MISSING)`
    const body = format1(verb, args[next++], flags, precision === undefined ? undefined : Number(precision))
    return pad(body, flags, Math.min(Number(width ?? 0), MAX_WIDTH))
  })
  if (next >= args.length) return text
  return `${text}%!(EXTRA ${args.slice(next).map(described).join(', ')})`
}

function format1(verb: string, value: Value, flags: string, precision: number | undefined): string {
  const digits = precision === undefined ? undefined : Math.min(precision, 100)
  const formatted =
    typeof value === 'bigint'
      ? formatInt(verb, value)
      : typeof value === 'number'
        ? formatDouble(verb, value, digits)
        : formatOther(verb, value, digits)
  if (formatted === undefined) return `%!${verb}(${described(value)})`
  const numeric = typeof value === 'bigint' || typeof value === 'number'
  return numeric && flags.includes('+') && !formatted.startsWith('-') ? `+${formatted}` : formatted
}

function formatInt(verb: string, value: bigint): string | undefined {
  switch (verb) {
    case 'd':
    case 'v':
      return value.toString()
    case 'x':
      return value.toString(16)
    case 'X':
      return value.toString(16).toUpperCase()
    case 'o':
      return value.toString(8)
    case 'b':
      return value.toString(2)
    case 'c':
      return value >= 0n && value <= 0x10ffffn ? String.fromCodePoint(Number(value)) : '\ufffd'
    default:
      return undefined
  }
}

function formatDouble(verb: string, value: number, digits: number | undefined): string | undefined {
  switch (verb) {
    case 'f':
    case 'F':
      return value.toFixed(digits ?? 6)
    case 'e':
      return goExponent(value.toExponential(digits ?? 6))
    case 'g':
    case 'v': {
      const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)))
      if (digits !== undefined) return goExponent(String(Number(value.toPrecision(Math.max(1, digits)))))
      return exponent < -4 || exponent >= 21 ? goExponent(value.toExponential()) : String(value)
    }
    default:
      return undefined
  }
}

/** Go prints at least two digits of an exponent. */
function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}

function formatOther(verb: string, value: Value, digits: number | undefined): string | undefined {
  if (verb === 't') return typeof value === 'boolean' ? String(value) : undefined
  const text = printed(value)
  const cut = digits === undefined ? text : [...text].slice(0, digits).join('')
  if (verb === 'v') return text
  if (typeof value === 'boolean' || value === undefined || value === null) return undefined
  if (verb === 's') return cut
  if (verb === 'q') return JSON.stringify(cut)
  if (verb !== 'x' && verb !== 'X') return undefined
  const hex = Buffer.from(isBytes(value) ? value : Buffer.from(text)).toString('hex')
  return verb === 'x' ? hex : hex.toUpperCase()
}

function pad(text: string, flags: string, width: number): string {
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (flags.includes('-')) return text + ' '.repeat(missing)
  if (!flags.includes('0')) return ' '.repeat(missing) + text
  const sign = /^[+-]/.exec(text)?.[0] ?? ''
  return sign + '0'.repeat(missing) + text.slice(sign.length)
}

function printed(value: Value): string {
  if (value === undefined || value === null) return '<nil>'
  return textOf(value) ?? ''
}

const GO_TYPES: { readonly [type: string]: string } = { int: 'int64', double: 'float64', bytes: '[]uint8' }

function described(value: Value): string {
  const type = typeOf(value)
  return type === 'nil' ? '<nil>' : `${GO_TYPES[type] ?? type}=${printed(value)}`
}
