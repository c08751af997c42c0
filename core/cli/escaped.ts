/** A log line must not move the cursor of whoever reads it. */
export function escaped(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, character =>
    character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
