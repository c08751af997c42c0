import type { Readable } from 'node:stream'
import { RetryableError } from 'tocsin/component'
import { LineSplitter } from 'tocsin/lines'
import { MAX_LINE_BYTES } from './line.js'

/** VictoriaLogs writes each < and ' with six bytes, so a line may be so much longer on the wire. */
const MAX_WIRE_BYTES = 6 * MAX_LINE_BYTES

const LF = 10
const CLOSING_BRACE = 0x7d

const OPENING_BRACE = 0x7b
/** So much of what is no line is kept, in case that the answer breaks off and it says why. */
const MOST_WORDS = 4_096

export interface ReadLinesOptions {
  /**
   * Lines that are complete, each or several with line ends between them, and how many were left out for their length. They are
   * views: decode them now.
   */
  readonly onRuns: (runs: readonly Buffer[], oversized: number) => void
  /** Whether to stop reading for now. */
  readonly full?: () => boolean
  /** Calls back when there is room again. */
  readonly onRoom?: (callback: () => void) => () => void
}

/** An answer broke off in its middle, and the server said why: its headers were sent before it knew. */
export class BrokenAnswer extends RetryableError {
  /** The server's words, as they came. */
  readonly words: string

  constructor(words: string, cause: unknown) {
    super('victorialogs_broken_answer', `VictoriaLogs broke its answer off: ${words}`, { cause })
    this.words = words
  }
}

/**
 * Reads the lines of a body until it ends. Rejects when it breaks off, with a `BrokenAnswer` when the server said why;
 * the lines that were complete by then have been handed out. It listens to `data` instead of iterating: an iterator
 * under back-pressure loses what it holds when the connection is cut.
 */
export function readLines(body: Readable, { onRuns, full, onRoom }: ReadLinesOptions): Promise<void> {
  const splitter = new LineSplitter({ maxLineBytes: MAX_WIRE_BYTES, oversized: 'drop' })
  let oversized = 0
  let words = ''
  let cancelRoom: (() => void) | undefined
  const give = (runs: Buffer[]): void => {
    const tooLong = splitter.oversized - oversized
    oversized = splitter.oversized
    const last = runs.at(-1)
    if (last) words = wordsOf(last.subarray(last.lastIndexOf(LF) + 1))
    if (runs.length > 0 || tooLong > 0) onRuns(runs, tooLong)
  }
  return new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      cancelRoom?.()
      if (error) reject(error)
      else resolve()
    }
    body.on('data', (chunk: Buffer) => {
      try {
        give(splitter.pushRuns(chunk))
      } catch (error) {
        finish(error as Error)
        body.destroy()
        return
      }
      if (!full?.() || !onRoom || body.isPaused()) return
      body.pause()
      cancelRoom = onRoom(() => body.resume())
    })
    body.once('end', () => {
      // A line begun is forgotten, but a whole object is a whole line, with or without the line end.
      const rest = splitter.end()
      if (rest.at(-1)?.at(-1) === CLOSING_BRACE) give(rest)
      finish()
    })
    body.once('error', (error: Error & { readonly data?: unknown }) => {
      // VictoriaLogs writes them over the chunks: undici 7.30.2 hands them out as `data` of its HTTPParserError. Or they are the last lines.
      const found = [words, wordsOf(splitter.rest), typeof error.data === 'string' ? error.data.trim() : '']
      const said = found.filter(Boolean).join(' ')
      finish(said === '' ? error : new BrokenAnswer(said, error))
    })
    body.once('close', () => finish(new Error('the connection was closed')))
  })
}

/** A line as text when it is no JSON. */
function wordsOf(line: Buffer): string {
  return line[0] === OPENING_BRACE ? '' : line.toString('utf8', 0, MOST_WORDS).trim()
}
