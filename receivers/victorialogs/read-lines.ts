import type { Readable } from 'node:stream'
import { LineSplitter } from 'tocsin/lines'

export const MAX_LINE_BYTES = 1_048_576

const CLOSING_BRACE = 0x7d

export interface ReadLinesOptions {
  /** Lines that are complete, and how many were left out for their length. The lines are views: decode them now. */
  readonly onLines: (lines: readonly Buffer[], oversized: number) => void
  /** Whether to stop reading for now. */
  readonly full?: () => boolean
  /** Calls back when there is room again. */
  readonly onRoom?: (callback: () => void) => () => void
}

/**
 * Reads the lines of a body until it ends. Rejects when it breaks off; the lines that were complete by then have
 * been handed out. It listens to `data` instead of iterating: an iterator under back-pressure loses what it
 * holds when the connection is cut.
 */
export function readLines(body: Readable, { onLines, full, onRoom }: ReadLinesOptions): Promise<void> {
  const splitter = new LineSplitter({ maxLineBytes: MAX_LINE_BYTES, oversized: 'drop' })
  let oversized = 0
  let cancelRoom: (() => void) | undefined
  const give = (lines: Buffer[]): void => {
    const tooLong = splitter.oversized - oversized
    oversized = splitter.oversized
    if (lines.length > 0 || tooLong > 0) onLines(lines, tooLong)
  }
  return new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      cancelRoom?.()
      if (error) reject(error)
      else resolve()
    }
    body.on('data', (chunk: Buffer) => {
      try {
        give(splitter.push(chunk))
      } catch (error) {
        body.destroy(error as Error)
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
    body.once('error', finish)
    body.once('close', () => finish(new Error('the connection was closed')))
  })
}
