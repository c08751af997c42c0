import type { JournalEntry } from 'tocsin/component'

/** A list of texts as one argument of a script: their lengths in bytes, `|`, the texts. Arguments cost more than bytes. */
export function packed(texts: readonly string[]): string {
  let lengths = ''
  for (const text of texts) lengths += `${Buffer.byteLength(text)} `
  return `${lengths}|${texts.join('')}`
}

/** Entries of one key, for WRITE. */
export function packedJournal(journal: readonly JournalEntry[]): {
  readonly kinds: string
  readonly texts: string
} {
  const texts: string[] = []
  let kinds = ''
  let shared: string | undefined
  for (const { recordId, outcome, parts, timer } of journal) {
    const end = parts?.shared ?? ''
    texts.push(recordId, parts?.own ?? outcome)
    if (end === shared && !timer) {
      kinds += 's'
      continue
    }
    kinds += timer ? 't' : 'r'
    texts.push(end)
    shared = end
  }
  return { kinds, texts: packed(texts) }
}
