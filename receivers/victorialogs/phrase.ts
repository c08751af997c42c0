/** Whether a line is one of a query's; undefined when only the server can say. */
export type Proof = boolean | undefined

/** Not a letter to VictoriaLogs: what was no UTF-8. It is no border of a word either. */
const REPLACEMENT = 0xfffd
const WORD = /[\p{L}\p{Nd}]/u
const UNASSIGNED = /\p{Cn}/u
/** Letters that Unicode 15.1 to 17 brought, with their neighbours: servers of 2024 to 2026 know them or not, and so does Node.js. */
const DISPUTED = /[\u088f\u0c5c\u0cdc\u1c80-\u1c8f\ua7c0-\ua7ff\u{10000}-\u{10ffff}]/u

/**
 * VictoriaLogs' phrase filter for a text of ASCII characters that is not empty: it stands in the value, and where it begins or
 * ends with a letter, digit or underscore, the value has none there beside it. (lib/logstorage/filter_phrase.go and
 * tokenizer.go, read in 1.26 and in what is newer.)
 */
export function provePhrase(phrase: string): (value: string) => Proof {
  const beginsWord = isAsciiWord(phrase.charCodeAt(0))
  const endsWord = isAsciiWord(phrase.charCodeAt(phrase.length - 1))
  return value => {
    let proof: Proof = false
    for (let at = value.indexOf(phrase); at !== -1; at = value.indexOf(phrase, at + 1)) {
      const left = !beginsWord || borderBefore(value, at)
      if (left === false) continue
      const right = !endsWord || borderAt(value, at + phrase.length)
      if (left && right) return true
      if (right !== false) proof = undefined
    }
    return proof
  }
}

function borderBefore(value: string, at: number): Proof {
  if (at === 0) return true
  const unit = value.charCodeAt(at - 1)
  if (unit < 0x80) return !isAsciiWord(unit)
  const isLow = unit >= 0xdc00 && unit < 0xe000
  return isBorder(value.codePointAt(isLow && at > 1 ? at - 2 : at - 1) as number)
}

function borderAt(value: string, at: number): Proof {
  if (at === value.length) return true
  const code = value.codePointAt(at) as number
  return code < 0x80 ? !isAsciiWord(code) : isBorder(code)
}

/** Of a character beyond ASCII. Undefined where it is a matter of the version of Unicode. */
function isBorder(code: number): Proof {
  if (code === REPLACEMENT || (code >= 0xd800 && code < 0xe000)) return false
  const char = String.fromCodePoint(code)
  if (UNASSIGNED.test(char)) return undefined
  if (!WORD.test(char)) return true
  return DISPUTED.test(char) ? undefined : false
}

function isAsciiWord(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x5f
  )
}
