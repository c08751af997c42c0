import type { Writable } from 'node:stream'
import {
  type ComponentContext,
  type Exporter,
  type ExportRequest,
  errorText,
  PermanentError,
  type Sent,
} from 'tocsin/component'
import type { DebugConfig } from './config.js'
import { formatRecords } from './format.js'

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
      const text = formatRecords(records, { ...config, pipeline, now: clock.now(), colors })
      await new Promise<void>((resolve, reject) => {
        out.write(text, error => {
          if (error) reject(new PermanentError('output_closed', `The output is closed: ${errorText(error)}`))
          else resolve()
        })
      })
      return 'ok'
    },
    async stop() {
      const others = (users.get(out) ?? 1) - 1
      users.set(out, others)
      if (others === 0) out.off('error', ignore)
    },
  }
}

/** How many exporters print there: one listener serves them all. */
const users = new WeakMap<Writable, number>()

/** A failed write is answered to whoever wrote; without a listener it would end the process. */
function ignore(): void {}
