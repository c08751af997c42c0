import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createRecord, durationMs } from 'tocsin/component'

/**
 * Offers the lines that are appended to a small file, each as a record. Made to be changed into a real source.
 *
 * @param {import('tocsin/component').ComponentContext<{ path: string, poll_interval: string }>} context
 * @returns {import('tocsin/component').Receiver}
 */
export function myReceiver({
  config: { path, poll_interval: interval },
  baseDir,
  clock,
  storage,
  reportStatus,
}) {
  const file = resolve(baseDir, path)
  const stopping = new AbortController()
  const checkpoint = storage()
  let running = Promise.resolve()

  /** @param {import('tocsin/component').Intake} intake */
  async function run(intake) {
    let offset = Number((await checkpoint.get('offset')) ?? 0)
    while (!stopping.signal.aborted) {
      // A source that can wait does; one that cannot passes the busy answer on to its clients.
      await intake.ready()
      if (stopping.signal.aborted) return
      const lines = await newLines(offset)
      if (lines.length > 0) {
        const last = lines[lines.length - 1]
        const records = lines.map(line =>
          createRecord({ id: line.id, observedTimestamp: clock.now(), body: line.text }),
        )
        const settled = await intake.offer(records)
        if (!settled.busy) {
          offset = last.end
          // Only what is settled is behind us: after a crash the rest is read again, with the same ids.
          await checkpoint.write([{ key: 'offset', value: Buffer.from(String(offset)) }])
          settled.release()
        }
      }
      await clock.sleep(durationMs(interval), stopping.signal)
    }
  }

  /** @param {number} offset */
  async function newLines(offset) {
    const bytes = await readFile(file).catch(error => {
      reportStatus({ status: 'recoverable_error', message: error.message })
      return undefined
    })
    if (!bytes) return []
    reportStatus({ status: 'ok' })
    const lines = []
    let start = offset
    for (let end = bytes.indexOf(10, start); end >= 0; end = bytes.indexOf(10, start)) {
      lines.push({ id: `${path}:${start}`, text: bytes.toString('utf8', start, end), end: end + 1 })
      start = end + 1
    }
    return lines
  }

  return {
    async start(intake) {
      running = run(intake)
    },
    async stop() {
      stopping.abort()
    },
    close: () => running,
    watermark: () => clock.now(),
  }
}
