export interface SyntaxExplanation {
  readonly offset: number
  readonly message: string
  readonly fix: string
}

/** Turns what the YAML parser says into what is wrong with the line and how to mend it. */
export function explainSyntax(text: string, reason: string, position: number): SyntaxExplanation {
  const found =
    tabIndent(text, position) ??
    unquotedReference(text, reason, position) ??
    unclosedAbove(text, reason, position) ??
    unquoted(text, position) ??
    byReason(text, reason, position)
  return (
    found ?? { offset: position, message: `not valid YAML: ${reason}`, fix: 'check indentation and quotes' }
  )
}

function tabIndent(text: string, position: number): SyntaxExplanation | undefined {
  const { start, line } = lineAt(text, position)
  const tab = /^ *\t/.exec(line)
  if (!tab) return undefined
  return {
    offset: start + tab[0].length - 1,
    message: 'a tab in the indentation',
    fix: 'YAML allows only spaces there',
  }
}

function unquotedReference(text: string, reason: string, position: number): SyntaxExplanation | undefined {
  if (!/missed comma/.test(reason) || text.slice(position - 1, position + 1) !== '${') return undefined
  return {
    offset: position - 1,
    message: 'a "${" outside of quotes, within { } or [ ]',
    fix: 'put the value in quotes: "${env:NAME}"',
  }
}

/** The keys above an offset by indentation: the parser knows none when it gives up. */
export function keyPathAt(text: string, offset: number): string[] {
  const path: string[] = []
  let within = Number.POSITIVE_INFINITY
  for (const { line } of linesUp(text, offset)) {
    const match = /^((?:\s|- )*)(["']?)([\w./-]+)\2:(?:\s|$)/.exec(line)
    if (match && match[1]!.length < within) {
      path.unshift(match[3]!)
      within = match[1]!.length
    }
  }
  return path
}

/** Brackets and quotes that are left open end where the file does, or where the indentation no longer fits. */
function unclosedAbove(text: string, reason: string, position: number): SyntaxExplanation | undefined {
  if (!/flow collection|indentation/.test(reason)) return undefined
  const { start } = lineAt(text, position)
  if (start === 0) return undefined
  for (const { start: above, line } of linesUp(text, start - 1)) {
    const open = line.search(/[[{][^\]}]*$/)
    if (open >= 0 && !/^\s*#/.test(line))
      return {
        offset: above + open,
        message: 'a "[" or "{" is not closed',
        fix: 'add the closing "]" or "}"',
      }
    const quote = /:\s+(["'])(?:(?!\1).)*$/.exec(line)
    if (quote) {
      const offset = above + quote.index + quote[0].indexOf(quote[1]!)
      return { offset, message: 'a quote is not closed', fix: 'add the closing quote' }
    }
    if (line.trim() !== '') return undefined
  }
  return undefined
}

/** A value that means something else to YAML unless it is quoted. Looks at the line of the error and the one above. */
function unquoted(text: string, position: number): SyntaxExplanation | undefined {
  const here = lineAt(text, position)
  const above = lineAt(text, Math.max(0, here.start - 1))
  for (const { start, line } of here.start === above.start ? [here] : [here, above]) {
    const match = /^(\s*(?:- +)*(?:[\w./-]+:\s+|- +))(\S.*)$/.exec(line)
    if (!match) continue
    const value = match[2]!
    const offset = start + match[1]!.length
    if (value.startsWith('{{') || value.startsWith('{%'))
      return {
        offset,
        message: `a value starts with "${value.slice(0, 2)}" outside of quotes`,
        fix: "quote the template: '{{...}}'",
      }
    if (/^[@`%]/.test(value))
      return {
        offset,
        message: `a value cannot start with "${value[0]}" outside of quotes`,
        fix: 'put the value in quotes',
      }
    if (/^[*&](\s|$|[^\w])/.test(value))
      return {
        offset,
        message: `a value cannot start with "${value[0]}" outside of quotes`,
        fix: 'put the value in quotes',
      }
    if (/^["'].*["']\s*[^\s#,\]}]/.test(value) && start === here.start)
      return {
        offset,
        message: 'text goes on after the closing quote',
        fix: 'put the whole value in one pair of quotes',
      }
    const colon = /^[^"'[{|>#][^#]*?:\s/.exec(value)
    if (colon && start === here.start)
      return {
        offset: offset + colon[0].length - 2,
        message: 'a second ": " in one line',
        fix: 'put a value that holds ": " in quotes; a key of its own goes on the next line, indented',
      }
  }
  return undefined
}

function byReason(text: string, reason: string, offset: number): SyntaxExplanation | undefined {
  if (/escape sequence/.test(reason))
    return {
      offset,
      message: 'an unknown escape in a double-quoted text',
      fix: "a backslash is taken literally in single quotes: 'a\\d+'",
    }
  const open = /unexpected end of the stream within an? (.*)/.exec(reason)?.[1]
  if (open)
    return {
      offset: openingOf(text, open) ?? offset,
      message: open.includes('flow') ? 'a "[" or "{" is not closed' : 'a quote is not closed',
      fix: open.includes('flow') ? 'add the closing "]" or "}"' : 'add the closing quote',
    }
  if (/nesting exceeded/.test(reason))
    return { offset, message: 'nested more than 100 levels deep', fix: 'flatten it' }
  if (/expected ':' after/.test(reason))
    return { offset, message: 'a line without ":" among keys', fix: 'write "key: value"' }
  if (/indentation/.test(reason))
    return {
      offset,
      message: 'the indentation fits no key above',
      fix: 'line it up with the keys it belongs to',
    }
  return undefined
}

/** The end of the file is where the parser notices; the last line that opens something is where to look. */
function openingOf(text: string, what: string): number | undefined {
  const openers = what.includes('flow') ? /[[{]/g : what.includes('single') ? /'/g : /"/g
  for (const { start, line } of linesUp(text, text.length)) {
    const counts = [...line.matchAll(openers)]
    const closed = what.includes('flow')
      ? [...line.matchAll(/[\]}]/g)].length
      : counts.length - (counts.length % 2)
    if (counts.length > closed) return start + counts[what.includes('flow') ? 0 : counts.length - 1]!.index
  }
  return undefined
}

/** The line of an offset, then those above it. */
function* linesUp(text: string, position: number): Generator<Line> {
  for (let end = position; end >= 0; ) {
    const line = lineAt(text, end)
    yield line
    end = line.start - 1
  }
}

interface Line {
  readonly start: number
  readonly line: string
}

function lineAt(text: string, position: number): Line {
  // A negative index would be taken for 0, and find a line break there.
  const start = position <= 0 ? 0 : text.lastIndexOf('\n', position - 1) + 1
  const end = text.indexOf('\n', start)
  return { start, line: text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '') }
}
