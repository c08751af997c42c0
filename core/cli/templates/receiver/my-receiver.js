import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createRecord, durationMs, errorText } from 'tocsin/component'

/**
 * Offers the lines that are appended to a small file, each as a record. Made to be changed into a real source.
 *
 * @param {import('tocsin/component').ComponentContext<{ path: string, poll_interval: string }>} context
 * @returns {import('tocsin/component').Receiver}
 */
export function myReceiver({ config, baseDir, clock, storage, reportStatus }) {
  const file = resolve(baseDir, config.path)
  const stopping = new AbortController()
  const checkpoint = storage()
  let running = Promise.resolve()
  let writing = Promise.resolve()

  /** @param {import('tocsin/component').Intake} intake */
  async function run(intake) {
    let offset = Number(Buffer.from((await checkpoint.get('offset')) ?? '0'))
    let settling = Promise.resolve()
    while (!stopping.signal.aborted) {
      // A source that can wait does; one that cannot passes the busy answer on to its clients.
      await intake.ready()
      const lines = await newLines(offset)
      if (stopping.signal.aborted) break
      const last = lines[lines.length - 1]
      if (last) {
        const observedTimestamp = clock.now()
        const records = lines.map(line => createRecord({ id: line.id, observedTimestamp, body: line.text }))
        const answer = intake.offer(records)
        // Busy is answered at once: the same lines are offered again. Else the batch is on its way, and the next may follow.
        if ((await Promise.race([answer, undefined]))?.busy) continue
        offset = last.end
        // Only what is settled is behind us, in order: after a crash the rest is read again, with the same ids.
        settling = Promise.all([answer, settling]).then(([settled]) => {
          writing = checkpoint
            .write([{ key: 'offset', value: Buffer.from(String(last.end)) }])
            .then(() => {
              if (!settled.busy) settled.release()
            })
            .catch(error => reportStatus({ status: 'recoverable_error', message: errorText(error) }))
          return writing
        })
      }
      await clock.sleep(durationMs(config.poll_interval), stopping.signal)
    }
  }

  /** @param {number} offset */
  async function newLines(offset) {
    const bytes = await readFile(file).catch(error => {
      reportStatus({ status: 'recoverable_error', message: errorText(error) })
      return undefined
    })
    if (!bytes) return []
    reportStatus({ status: 'ok' })
    const lines = []
    let start = offset
    for (let end = bytes.indexOf(10, start); end >= 0; end = bytes.indexOf(10, start)) {
      lines.push({ id: `${config.path}:${start}`, text: bytes.toString('utf8', start, end), end: end + 1 })
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
    // After the last settlement: what has not settled by now never does.
    close: () => running.then(() => writing),
    watermark: () => clock.now(),
  }
}
