/** RE2's reason for refusing a regular expression, in plain words with advice. `reason` is RE2's own message. */
export function explainRefusal(reason: string): { message: string; fix?: string } {
  const colon = reason.indexOf(': ')
  const kind = colon < 0 ? reason : reason.slice(0, colon)
  const part = colon < 0 ? '' : reason.slice(colon + 2)
  switch (kind) {
    case 'invalid perl operator':
      return explainOperator(part)
    case 'invalid escape sequence':
      return explainEscape(part)
    case 'invalid repetition size':
      return {
        message: `the repeat ${part} is too large: RE2 repeats at most 1,000 times, nested repeats multiplied`,
        fix: 'use * or + where the number does not matter',
      }
    case 'bad repetition operator':
      return {
        message: `two repeats follow each other: ${part}`,
        fix: 'RE2 has no possessive repeats; put the inner one in (?:...) or escape the character',
      }
    case 'no argument for repetition operator':
      return {
        message: `there is nothing before ${part} to repeat`,
        fix: `write \\${part} for the character`,
      }
    case 'missing ]':
      return {
        message: `the class ${part} has no closing ]`,
        fix: 'close it, or write \\[ for the character',
      }
    case 'missing )':
      return { message: 'a group has no closing )', fix: 'close it, or write \\( for the character' }
    case 'unexpected )':
      return { message: 'a ) has no opening (', fix: 'write \\) for the character' }
    case 'trailing \\':
      return { message: 'the pattern ends with a single \\', fix: 'write \\\\ for the character' }
    case 'invalid character class range':
      return {
        message: `${part} is no valid range or class name`,
        fix: 'put the smaller character first; - itself last',
      }
    case 'invalid named capture group':
    case 'duplicate capture group name':
      return {
        message: `a group's name is not valid or used twice${part ? `: ${part}` : ''}`,
        fix: 'write (?P<name>...) with letters, digits and _, each name once',
      }
    case 'pattern too large - compile failed':
      return { message: 'the pattern needs too much memory', fix: 'use smaller repeats, or split it in two' }
    default:
      return { message: `RE2 refuses the pattern: ${reason}` }
  }
}

function explainOperator(operator: string): { message: string; fix?: string } {
  if (/^\(\?<?[=!]/.test(operator)) {
    return {
      message: `RE2 has no lookaround (${operator}...)`,
      fix: 'match the text around it too, or filter with a condition after the match',
    }
  }
  return {
    message: `RE2 does not know the group ${operator}...`,
    fix: 'groups are (...), (?:...), (?P<name>...) and the flags (?imsU); there are no atomic groups or comments',
  }
}

function explainEscape(sequence: string): { message: string; fix?: string } {
  if (/^\\([1-9]|k)/.test(sequence)) {
    return {
      message: `RE2 has no back-references (${sequence})`,
      fix: 'write the alternatives out, or drop the condition that both are the same',
    }
  }
  if (sequence === '\\Z')
    return { message: 'RE2 does not know \\Z', fix: 'write \\z or $ for the end of the text' }
  return {
    message: `RE2 does not know the escape ${sequence}`,
    fix: 'escape only punctuation; write \\\\ for a backslash',
  }
}
