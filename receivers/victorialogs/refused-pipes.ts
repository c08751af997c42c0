/** The pipes that `/select/logsql/tail` answers with 400, with their short names. */
const REFUSED = new Set([
  ...[
    'stats',
    'sort',
    'order',
    'top',
    'uniq',
    'limit',
    'head',
    'offset',
    'skip',
    'first',
    'last',
    'facets',
    'join',
  ],
  ...['field_names', 'field_values', 'block_stats', 'blocks_count', 'union'],
])

/**
 * The pipes of a LogsQL query that cannot be tailed. Pipes inside parentheses belong to a subquery and are
 * fine; a `|` inside quotes is text.
 */
export function refusedPipes(query: string): string[] {
  return pipeNames(query).filter(name => REFUSED.has(name))
}

function pipeNames(query: string): string[] {
  const names: string[] = []
  let depth = 0
  for (let at = 0; at < query.length; at++) {
    const char = query[at] as string
    if (char === '"' || char === "'" || char === '`') at = quoteEnd(query, at)
    // A time range may open with one bracket and close with the other: `[a, b)`.
    else if (char === '(' || char === '[') depth++
    else if (char === ')' || char === ']') depth = Math.max(0, depth - 1)
    else if (char === '|' && depth === 0) {
      const name = /^\s*([a-z_]+)/i.exec(query.slice(at + 1))?.[1]
      if (name) names.push(name.toLowerCase())
    }
  }
  return names
}

/** The index of the closing quote; the end of the text when there is none. */
function quoteEnd(text: string, start: number): number {
  const quote = text[start]
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\' && quote !== '`') at++
    else if (text[at] === quote) return at
  }
  return text.length
}
