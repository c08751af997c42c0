import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { toText } from 'tocsin/component'

/**
 * Appends the bodies of records to a file. Queue, retry and dead letters are the core's; a throw is retried. One `send` at a
 * time, in order, as index.js says `ordered`: without it up to ten run at once, and lines of a file overtake each other.
 *
 * @param {import('tocsin/component').ComponentContext<{ path: string }>} context
 * @returns {import('tocsin/component').Exporter}
 */
export function myExporter({ config: { path }, baseDir }) {
  const file = resolve(baseDir, path)
  return {
    async send({ records }, signal) {
      await writeFile(file, records.map(record => `${toText(record.body)}\n`).join(''), { flag: 'a', signal })
      return 'ok'
    },
  }
}
