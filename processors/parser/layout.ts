import { partsOf, readableLetters, unknownLetter } from '#times'

export const NAMED_FORMATS = ['rfc3339', 'unix', 'unix_ms', 'unix_us', 'unix_ns'] as const

// What other tools call the named formats.
const SYNONYMS: ReadonlyMap<string, (typeof NAMED_FORMATS)[number]> = new Map([
  ['rfc3339', 'rfc3339'],
  ['rfc3339nano', 'rfc3339'],
  ['iso8601', 'rfc3339'],
  ['unix', 'unix'],
  ['epoch', 'unix'],
  ['epoch_s', 'unix'],
  ['unix_s', 'unix'],
  ['unix_ms', 'unix_ms'],
  ['unixms', 'unix_ms'],
  ['epoch_ms', 'unix_ms'],
  ['epoch_millis', 'unix_ms'],
  ['unixus', 'unix_us'],
  ['epoch_us', 'unix_us'],
  ['epoch_micros', 'unix_us'],
  ['unixns', 'unix_ns'],
  ['epoch_ns', 'unix_ns'],
  ['epoch_nanos', 'unix_ns'],
])

/** What is wrong with a `format`, if anything. */
export function layoutProblem(
  format: string,
): { readonly message: string; readonly fix: string } | undefined {
  if ((NAMED_FORMATS as readonly string[]).includes(format)) return undefined
  if (!format.includes('%')) {
    return {
      message: `"${format}" is no time format`,
      fix: `write ${SYNONYMS.get(format.toLowerCase()) ?? `${NAMED_FORMATS.join(', ')}, or a strptime layout such as %Y-%m-%d %H:%M:%S`}`,
    }
  }
  const unknown = unknownLetter(format, 'strftime', 'read')
  if (unknown !== undefined) {
    return { message: `%${unknown} is not known`, fix: `known are ${readableLetters('strftime')}` }
  }
  const parts = partsOf(format, 'strftime')
  const month = parts.includes('month') || parts.includes('monthName')
  if (!parts.includes('epoch') && !parts.includes('yearDay') && !(month && parts.includes('day'))) {
    return { message: `"${format}" has no day and month`, fix: 'a layout with a date is %Y-%m-%d %H:%M:%S' }
  }
  return undefined
}
