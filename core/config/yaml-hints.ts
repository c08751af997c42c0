export interface SyntaxExplanation {
  readonly offset: number
  readonly message: string
  readonly fix: string
}

/** Turns what the YAML parser says into what is wrong with the line and how to mend it. */
export function explainSyntax(text: string, reason: string, position: number): SyntaxExplanation {
  const found = tabIndent(text, position) ?? unquoted(text, position) ?? byReason(text, reason, position)
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
  for (let end = text.length; end > 0; ) {
    const { start, line } = lineAt(text, end)
    const counts = [...line.matchAll(openers)]
    const closed = what.includes('flow')
      ? [...line.matchAll(/[\]}]/g)].length
      : counts.length - (counts.length % 2)
    if (counts.length > closed) return start + counts[what.includes('flow') ? 0 : counts.length - 1]!.index
    end = start - 1
  }
  return undefined
}

function lineAt(text: string, position: number): { start: number; line: string } {
  const start = text.lastIndexOf('\n', position - 1) + 1
  const end = text.indexOf('\n', start)
  return { start, line: text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '') }
}
