import { buildPatternSet, checkPattern, type Pattern } from '../pattern/index.js'
import type { Labels, Matcher } from './entries.js'

/** Longer values are cut by nobody: this only bounds what a label may be. */
const MAX_TEXT_BYTES = 1_048_576

/** Why a matcher cannot be used; undefined when it can. */
export function checkMatcher({ name, value, isRegex }: Matcher): string | undefined {
  if (name === '') return 'a matcher has no name'
  // By itself too: `a)(b` would be whole only inside of the brackets.
  const problem =
    isRegex && value !== ''
      ? (checkPattern({ text: value, mode: 'regex' }) ?? checkPattern(whole(value)))
      : undefined
  return problem && `the regular expression ${JSON.stringify(value)} of ${name}: ${problem.message}`
}

/** Whether all of them match; each has passed `checkMatcher`. */
export function compileMatchers(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const tests = matchers.map(test)
  return labels => tests.every(matches => matches(labels))
}

/** Whether labels that are not there would do. */
export function matchesEmpty(matcher: Matcher): boolean {
  return test(matcher)({})
}

function test({ name, value, isRegex, isEqual }: Matcher): (labels: Labels) => boolean {
  if (!isRegex) return labels => (labelOf(labels, name) === value) === isEqual
  const set = buildPatternSet([whole(value)], { maxTextBytes: MAX_TEXT_BYTES })
  return labels => set.match([Buffer.from(labelOf(labels, name))]).texts.length > 0 === isEqual
}

function labelOf(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] as string) : ''
}

function whole(value: string): Pattern {
  return { text: `\\A(?:${value})\\z`, mode: 'regex' }
}
