/** What word processors and chats make of quotes and spaces, by what was meant. */
const MEANT: ReadonlyMap<string, string> = new Map([
  ...[...'\u201c\u201d\u201e\u201f\u2033\uff02'].map(character => [character, '"'] as const),
  ...[...'\u2018\u2019\u201a\u201b\u2032\uff07'].map(character => [character, "'"] as const),
  ...[...'\u00a0\u202f\u2007'].map(character => [character, 'a space'] as const),
  ...[...'\u200b\ufeff\u00ad'].map(character => [character, 'nothing'] as const),
])
const FOUND = new RegExp(`[${[...MEANT.keys()].join('')}]`, 'u')

/** The first character in a pattern that looks like another one, which logs have. */
export function lookAlikeIn(pattern: string): { readonly message: string; readonly fix: string } | undefined {
  const [found] = FOUND.exec(pattern) ?? []
  if (found === undefined) return undefined
  const meant = MEANT.get(found) as string
  const code = (found.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')
  const shown = /\s|\u200b|\ufeff|\u00ad/u.test(found) ? `U+${code}` : `${found} (U+${code})`
  return {
    message: `the pattern has ${shown}, which looks like ${meant}: it matches only lines with just this character`,
    fix: `write ${meant === 'nothing' ? 'it without' : meant} instead, unless the log has it`,
  }
}
