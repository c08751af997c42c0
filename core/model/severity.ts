/** The severity numbers of the OTLP logs data model: the first of each range. */
export const SEVERITY = {
  UNSPECIFIED: 0,
  TRACE: 1,
  DEBUG: 5,
  INFO: 9,
  WARN: 13,
  ERROR: 17,
  FATAL: 21,
} as const

const NAMES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const

/** The words that sources and alert tables use, by the OTLP data model's appendix B and common practice. */
const WORDS: ReadonlyMap<string, number> = new Map([
  ...words(SEVERITY.TRACE, 'trace', 'verbose', 'finest'),
  ...words(SEVERITY.DEBUG, 'debug', 'fine', 'low'),
  ...words(SEVERITY.INFO, 'info', 'information', 'informational', 'normal', 'ok'),
  ...words(10, 'notice'),
  ...words(SEVERITY.WARN, 'warn', 'warning', 'minor', 'medium'),
  ...words(SEVERITY.ERROR, 'error', 'err', 'major', 'high', 'severe'),
  ...words(18, 'critical', 'crit'),
  ...words(19, 'alert'),
  ...words(SEVERITY.FATAL, 'fatal', 'emergency', 'emerg', 'panic', 'page'),
])

/** The number of a severity word in any case; 0 when the word is not known. */
export function severityNumber(word: string): number {
  const text = word.trim().toLowerCase()
  const known = WORDS.get(text)
  if (known !== undefined) return known
  const ranged = /^(trace|debug|info|warn|error|fatal)([2-4])$/.exec(text)
  return ranged ? (WORDS.get(ranged[1] as string) as number) + Number(ranged[2]) - 1 : 0
}

/** The short name of a severity number: 18 is ERROR2; '' when it is out of range. */
export function severityName(number: number): string {
  if (!Number.isInteger(number) || number < 1 || number > 24) return ''
  const step = (number - 1) % 4
  return `${NAMES[Math.floor((number - 1) / 4)]}${step === 0 ? '' : step + 1}`
}

function words(number: number, ...names: string[]): [string, number][] {
  return names.map(name => [name, number])
}
