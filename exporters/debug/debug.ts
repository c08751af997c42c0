import type { Writable } from 'node:stream'
import {
  type ComponentContext,
  type Exporter,
  type ExportRequest,
  errorText,
  PermanentError,
  type Sent,
} from 'tocsin/component'
import { inSlices, type Steps } from 'tocsin/otlp'
import type { DebugConfig } from './config.js'
import { formatSteps } from './format.js'

/** Prints records. Colours only on a terminal. */
export function createDebug(
  { config, clock }: ComponentContext<DebugConfig>,
  out: Writable & { readonly isTTY?: boolean } = process.stdout,
): Exporter {
  const colors = out.isTTY === true && !process.env.NO_COLOR
  return {
    async start() {
      const others = users.get(out) ?? 0
      users.set(out, others + 1)
      if (others === 0) out.on('error', ignore)
    },
    async send({ records, pipeline }: ExportRequest): Promise<Sent> {
      const options = { ...config, pipeline, now: clock.now(), colors }
      const written: Promise<void>[] = []
      let failed: Error | null | undefined
      const write = (text: string): void => {
        const done = new Promise<void>(resolve => {
          out.write(text, error => {
            failed ??= error
            resolve()
          })
        })
        written.push(done)
      }
      await inSlices(inPieces(formatSteps(records, options), write))
      await Promise.all(written)
      if (failed) throw new PermanentError('output_closed', `The output is closed: ${errorText(failed)}`)
      return 'ok'
    },
    async stop() {
      const others = (users.get(out) ?? 1) - 1
      users.set(out, others)
      if (others === 0) out.off('error', ignore)
    },
  }
}

const PIECE_CHARACTERS = 64 * 1024

function* inPieces(texts: Iterable<string>, write: (text: string) => void): Steps<void> {
  let piece = ''
  for (const text of texts) {
    piece += text
    if (piece.length >= PIECE_CHARACTERS) {
      write(piece)
      piece = ''
    }
    yield
  }
  write(piece)
}

/** How many exporters print there: one listener serves them all. */
const users = new WeakMap<Writable, number>()

/** A failed write is answered to whoever wrote; without a listener it would end the process. */
function ignore(): void {}
