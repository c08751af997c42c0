const SPACES =
  '\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000'
const INVISIBLE = '\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad'

/** What word processors and chats make of quotes, dashes and spaces, by what was meant. */
const MEANT: ReadonlyMap<string, string> = new Map([
  ...[...'\u201c\u201d\u201e\u201f\u2033\uff02'].map(character => [character, '"'] as const),
  ...[...'\u2018\u2019\u201a\u201b\u2032\u00b4\uff07'].map(character => [character, "'"] as const),
  ...[...'\u2010\u2011\u2012\u2013\u2014\u2015\u2212'].map(character => [character, '-'] as const),
  ['\u2026', '...'],
  ...[...SPACES].map(character => [character, 'a space'] as const),
  ...[...INVISIBLE].map(character => [character, 'nothing'] as const),
  // Full width, as input methods of East Asia write Latin. Punctuation is theirs.
  ...[...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'].map(
    character => [String.fromCharCode(character.charCodeAt(0) + 0xfee0), character] as const,
  ),
])
const FOUND = new RegExp(`[${[...MEANT.keys()].join('')}]`, 'u')
/** Letters of Cyrillic and Greek that look like Latin ones, and those. */
const LETTERS: ReadonlyMap<string, string> = new Map(
  [
    '\u0430a \u0432b \u0441c \u0435e \u04bbh \u0456i \u0458j \u043ak \u043cm \u043eo \u0440p \u0455s \u0442t \u0443y \u0445x',
    '\u0410A \u0412B \u0421C \u0415E \u041dH \u0406I \u0408J \u041aK \u041cM \u041eO \u0420P \u0405S \u0422T \u0423Y \u0425X',
    '\u0391A \u0392B \u0395E \u0397H \u0399I \u039aK \u039cM \u039dN \u039fO \u03a1P \u03a4T \u03a5Y \u03a7X \u0396Z \u03bfo \u03bdv \u03b1a \u03c1p',
  ]
    .flatMap(row => row.split(' '))
    .map(([stranger = '', latin = '']) => [stranger, latin] as const),
)
/** What is no text of a line: classes and escapes of a regular expression. */
const SYNTAX = /\\[pP]\{\^?\w+\}|\\.|\[[^\]]*\]/gu

/** The first character in a pattern that looks like another one, which logs have. */
export function lookAlikeIn(pattern: string): { readonly message: string; readonly fix: string } | undefined {
  const found = FOUND.exec(pattern)?.[0] ?? strangerIn(pattern)
  if (found === undefined) return undefined
  const meant = MEANT.get(found) ?? (LETTERS.get(found) as string)
  const code = (found.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')
  const shown = meant === 'a space' || meant === 'nothing' ? `U+${code}` : `${found} (U+${code})`
  return {
    message: `the pattern has ${shown}, which looks like ${meant}: it matches only lines with just this character`,
    fix: `write ${meant === 'nothing' ? 'it without' : meant} instead, unless the log has it`,
  }
}

/** A letter of another script in a word that is Latin otherwise. */
function strangerIn(pattern: string): string | undefined {
  for (const [word] of pattern.replace(SYNTAX, ' ').matchAll(/\p{L}+/gu)) {
    const strangers = [...word].filter(letter => LETTERS.has(letter))
    if (strangers.length > 0 && /\p{Script=Latin}/u.test(word)) return strangers[0]
  }
  return undefined
}
