import { createHash } from 'node:crypto'
import type { PatternSet } from 'tocsin/pattern'
import { modesOf, type StatefulAlertConfig } from './config.js'
import { type Loaded, loadCsv } from './table.js'

/**
 * Compiles the text of a table, or finds it compiled: processors with the same text and reading of it share one, which never
 * changes, and so do those before and after a reload of the configuration. It goes with the last that holds it.
 */
export function sharedTable(
  text: string,
  config: StatefulAlertConfig,
  previous?: PatternSet,
): Promise<Loaded> {
  const { columns = {}, delimiter } = config.lookup_table ?? {}
  const modes = modesOf(config)
  const key = createHash('sha256')
    .update(JSON.stringify([columns, delimiter, modes]))
    .update('\0')
    .update(text)
    .digest('base64')
  const known = TABLES.get(key)
  const loaded = known instanceof WeakRef ? known.deref() : known
  if (loaded) return Promise.resolve(loaded)
  const loading = loadCsv(text, columns, modes, previous, delimiter).then(
    made => {
      TABLES.set(key, new WeakRef(made))
      GONE.register(made, key)
      return made
    },
    error => {
      TABLES.delete(key)
      throw error
    },
  )
  TABLES.set(key, loading)
  return loading
}

const TABLES = new Map<string, Promise<Loaded> | WeakRef<Loaded>>()
const GONE = new FinalizationRegistry<string>(key => {
  const known = TABLES.get(key)
  if (known instanceof WeakRef && known.deref() === undefined) TABLES.delete(key)
})
