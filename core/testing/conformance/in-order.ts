/**
 * What is wrong with the order of `texts`, each of which contains one of `parts`: `"third" came before "first"`; undefined
 * when it is that of the parts. What contains no part is passed over.
 */
export function inOrder(texts: readonly string[], parts: readonly string[]): string | undefined {
  let newest = -1
  for (const text of texts) {
    const at = parts.findIndex(part => text.includes(part))
    if (at < 0) continue
    if (at < newest) return `"${parts[newest]}" came before "${parts[at]}"`
    newest = at
  }
  return undefined
}
