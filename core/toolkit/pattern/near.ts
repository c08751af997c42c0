import RE2 from 're2'
import { compile, type Pattern } from './pattern.js'
import { placesOf } from './places.js'

/** Why a pattern does not match a text that it nearly matches, and what of the text comes close. */
export interface NearMiss {
  readonly why: string
  readonly span?: readonly [from: number, to: number]
}

/** A beginning that is found must be this much of a pattern. */
const LEAST_CHARS = 4
const LEAST_SHARE = 0.5
/** Longer patterns are not taken apart. */
const LONGEST = 1_000

/**
 * For people: undefined also when the pattern matches, or cannot be used. Tries other cases, other places, other spaces, the
 * pattern's other meaning, and how much of its beginning is there: some tens of microseconds a pattern, more where it comes close.
 */
export function nearMiss(pattern: Pattern, text: string): NearMiss | undefined {
  const { text: wanted, mode } = pattern
  if (wanted === '' || wanted.length > LONGEST || foundBy(pattern, text)) return undefined
  const anyCase: Pattern =
    mode === 'regex' ? { text: `(?i)${wanted}`, mode } : { ...pattern, ignoreCase: true }
  const inOtherCase = foundBy(anyCase, text)
  if (inOtherCase) return { why: 'it differs in upper and lower case', span: inOtherCase }
  if (mode !== 'regex') {
    const elsewhere = foundBy({ ...anyCase, mode: 'contain' }, text)
    if (elsewhere) return { why: `it is there, but the match mode is ${mode}`, span: elsewhere }
    const asRegex = /[\\^$.|?*+()[\]{}]/.test(wanted) && foundBy({ text: wanted, mode: 'regex' }, text)
    if (asRegex)
      return { why: `it matches as a regular expression, but the match mode is ${mode}`, span: asRegex }
  } else {
    const literally = foundBy({ text: wanted, mode: 'contain' }, text)
    if (literally)
      return {
        why: 'it is there literally, but it is a regular expression: some characters mean more',
        span: literally,
      }
  }
  const words = wanted.trim().split(/\s+/)
  const spaced = words.map(word => (mode === 'regex' ? word : quoted(word))).join('\\s+')
  const otherwiseSpaced = foundBy({ text: spaced, mode: 'regex' }, text)
  if (otherwiseSpaced) return { why: 'it differs in spaces', span: otherwiseSpaced }
  return beginningOf(mode === 'regex' ? pattern : { ...pattern, mode: 'contain' }, text)
}

/** The longest beginning of the pattern that is in the text. */
function beginningOf(pattern: Pattern, text: string): NearMiss | undefined {
  const characters = [...pattern.text]
  const least = Math.max(LEAST_CHARS, Math.ceil(characters.length * LEAST_SHARE))
  // A longer beginning is found only where a shorter one is, but for one that ends inside of something.
  if (characters.length <= LEAST_CHARS || !upTo(least)) return undefined
  for (let length = characters.length - 1; length >= least; length--) {
    const found = upTo(length)
    if (!found) continue
    const rest = characters.slice(length).join('')
    return { why: `it is there up to ${JSON.stringify(rest)}, which is not`, span: found }
  }
  return undefined

  function upTo(length: number): readonly [number, number] | undefined {
    const found = foundBy({ ...pattern, text: characters.slice(0, length).join('') }, text)
    return found && found[1] - found[0] >= LEAST_CHARS ? found : undefined
  }
}

/** Where it is first; undefined too for a pattern that cannot be used. */
function foundBy(pattern: Pattern, text: string): readonly [number, number] | undefined {
  if (pattern.mode !== 'regex' && !pattern.ignoreCase) return literal(pattern, text)
  const compiled = compile(pattern)
  if (!(compiled instanceof RE2) || !compiled.test(text)) return undefined
  return placesOf(pattern, text)[0] ?? [0, 0]
}

function literal({ text: wanted, mode }: Pattern, text: string): readonly [number, number] | undefined {
  const at = mode === 'suffix' ? text.length - wanted.length : mode === 'contain' ? text.indexOf(wanted) : 0
  if (at < 0 || !text.startsWith(wanted, at)) return undefined
  return mode === 'exact' && text !== wanted ? undefined : [at, at + wanted.length]
}

function quoted(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}
