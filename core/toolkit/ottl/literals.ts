import { Fault } from './errors.js'

const ESCAPES: { readonly [letter: string]: string } = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
}

/**
 * What a quoted string stands for. The escapes are Go's: \a \b \f \n \r \t \v \\ \" \xHH \NNN \uHHHH \UHHHHHHHH;
 * any other backslash is a fault, since a regex with one backslash too few would quietly mean something else.
 */
export function unquote(text: string, at: number): string {
  const inner = text.slice(1, -1)
  if (!inner.includes('\\')) return inner
  return inner.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))/g,
    (sequence, hex, short, long, octal, letter, offset: number) => {
      const known = letter === undefined ? undefined : ESCAPES[letter as string]
      if (known !== undefined) return known
      const code = letter === undefined ? Number.parseInt(hex ?? short ?? long ?? octal, octal ? 8 : 16) : -1
      if (code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) return String.fromCodePoint(code)
      throw new Fault(
        `${sequence} is not an escape`,
        at + 1 + offset,
        `write \\\\${sequence.slice(1)} for a backslash and ${JSON.stringify(letter ?? sequence.slice(1))}`,
      )
    },
  )
}

export function parseInteger(text: string, at: number): bigint {
  const value = BigInt(text.replace('+', ''))
  if (BigInt.asIntN(64, value) !== value) throw new Fault(`${text} does not fit into 64 bits`, at)
  return value
}

export function parseBytes(text: string, at: number): Uint8Array {
  if (text.length % 2 !== 0)
    throw new Fault('bytes take two hex digits each', at, `write 0x0${text.slice(2)}`)
  return Buffer.from(text.slice(2), 'hex')
}
