import { TocsinError } from '../../component/errors.js'

/** An OTTL text that does not compile. The message shows the text with a caret below the fault. */
export class OttlError extends TocsinError {
  override readonly name = 'OttlError'

  constructor(
    /** What is wrong, in one line. */
    readonly summary: string,
    readonly text: string,
    /** Where the fault starts, in UTF-16 units from 0. */
    readonly offset: number,
    /** How to put it right. */
    readonly fix?: string,
  ) {
    super('invalid_ottl', text.trim() === '' ? summary : `${summary}\n${excerpt(text, offset)}`, false)
  }
}

/** An expression that could not be worked out for one record. The message names types and paths, never values. */
export class OttlEvalError extends TocsinError {
  override readonly name = 'OttlEvalError'

  constructor(message: string) {
    // Thrown for record after record; the stack would say nothing and cost ten times as much as the rest.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super('ottl_evaluation', message, false)
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** What the compiler throws inside; the outermost function knows the text and makes it an `OttlError`. */
export class Fault extends Error {
  constructor(
    message: string,
    readonly at: number,
    readonly fix?: string,
  ) {
    super(message)
  }
}

/** What is wrong with a text, for whoever checks a configuration. The message has a caret at the fault. */
export interface OttlProblem {
  readonly message: string
  readonly fix?: string
  readonly offset?: number
}

/** Runs a compilation; a fault becomes an `OttlError` that shows the text. */
export function explained<T>(text: string, compile: () => T): T {
  try {
    return compile()
  } catch (error) {
    if (error instanceof Fault)
      throw new OttlError(error.message, text, Math.min(error.at, text.length), error.fix)
    throw error
  }
}

export function problemOf(compile: () => unknown): OttlProblem | undefined {
  try {
    compile()
    return undefined
  } catch (error) {
    if (!(error instanceof OttlError)) throw error
    return {
      message: error.message,
      offset: error.offset,
      ...(error.fix !== undefined && { fix: error.fix }),
    }
  }
}

const WIDTH = 90

/** The line of the fault, cut to a readable width, with a caret below it; both indented. */
function excerpt(text: string, offset: number): string {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1
  const lineEnd = text.indexOf('\n', offset)
  const line = text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd).replace(/[\t\r]/g, ' ')
  const column = offset - lineStart
  const from = line.length <= WIDTH ? 0 : Math.max(0, Math.min(column - WIDTH / 2, line.length - WIDTH))
  const before = from > 0 ? '...' : ''
  const after = from + WIDTH < line.length ? '...' : ''
  const shown = `${before}${line.slice(from, from + WIDTH)}${after}`
  return `    ${shown}\n    ${' '.repeat(before.length)}${blank(line.slice(from, column))}^`
}

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]/g

/** As many spaces as the text takes columns of a terminal: CJK and emoji take two, marks none. */
function blank(text: string): string {
  return text
    .replace(/[\p{M}\u200d]/gu, '')
    .replace(WIDE, '  ')
    .replace(/\S/g, ' ')
}
