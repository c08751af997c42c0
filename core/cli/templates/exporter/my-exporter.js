import { appendFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { toText } from 'tocsin/component'

/**
 * Appends the bodies of records to a file. Queue, retry and dead letters are the core's.
 *
 * @param {import('tocsin/component').ComponentContext<{ path: string }>} context
 * @returns {import('tocsin/component').Exporter}
 */
export function myExporter({ config: { path }, baseDir }) {
  const file = resolve(baseDir, path)
  return {
    async send({ records }, signal) {
      if (signal.aborted) return { reason: 'aborted' }
      await appendFile(file, records.map(record => `${toText(record.body)}\n`).join(''))
      return 'ok'
    },
  }
}
