import RE2 from 're2'
import type { FormatProblem } from './formats.js'

export function checkRegex(text: string): FormatProblem | undefined {
  try {
    new RE2(text, 'u')
    return undefined
  } catch (error) {
    const reason = (error as Error).message
    const hint = regexHint(text, reason)
    return {
      message: `RE2 does not accept this regular expression: ${reason}`,
      ...(hint && { fix: hint.fix, offset: hint.offset }),
    }
  }
}

/** What people bring from other engines, and what to do instead. */
const REGEX_HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /\(\?<?[=!]/,
    'RE2 has no look-ahead or look-behind: match the text around it, or filter in a second step',
  ],
  [/\\[1-9]|\\k[<{']|\(\?P=/, 'RE2 has no back-references: write the repeated part out'],
  [/\(\?>|[*+?}]\+/, 'RE2 has no atomic groups or possessive quantifiers, and needs none: leave them out'],
  [/\\Z/, 'RE2 has no \\Z: write \\z or $'],
  [/\(\?\(/, 'RE2 has no conditional groups: write the alternatives out with |'],
]

function regexHint(text: string, reason: string): { fix: string; offset: number } | undefined {
  const cause = reason.slice(reason.lastIndexOf(': ') + 2)
  for (const [pattern, fix] of REGEX_HINTS) {
    const match = pattern.exec(text)
    if (match) return { fix, offset: match.index }
  }
  if (reason.startsWith('missing )'))
    return { fix: 'close the "(", or write "\\(" for the character', offset: 0 }
  if (reason.startsWith('unexpected )'))
    return { fix: 'remove the ")", or write "\\)" for the character', offset: 0 }
  if (reason.startsWith('missing ]'))
    return { fix: 'close the "[", or write "\\[" for the character', offset: 0 }
  const offset = text.indexOf(cause)
  return offset > 0 ? { fix: 'change the part that the reason names', offset } : undefined
}
