import type { AnyFactory } from '../component/index.js'
import type { Distribution } from './distribution.js'
import { type CommandIo, type ConfigOptions, print } from './io.js'
import { load, loadAll } from './load.js'

const KINDS = ['receiver', 'processor', 'exporter', 'connector', 'extension'] as const

/** Lists what a configuration may name. */
export async function listComponents(
  distribution: Distribution,
  options: ConfigOptions & { readonly json?: boolean },
  io: CommandIo,
): Promise<number> {
  const sources =
    options.config.length > 0 ? (await load(distribution, options, io)).factories : distribution.components
  const factories = await loadAll(sources)
  const rows = KINDS.flatMap(kind =>
    factories.filter(factory => factory.kind === kind).sort((a, b) => (a.type < b.type ? -1 : 1)),
  ).map(({ kind, type, stability, description, aliases = [] }) => ({
    kind,
    type,
    stability,
    description,
    aliases,
  }))
  await print(io, options.json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows))
  return 0
}

function table(rows: readonly Pick<AnyFactory, 'kind' | 'type' | 'stability' | 'description'>[]): string {
  const cells = [
    ['KIND', 'TYPE', 'STABILITY', ''],
    ...rows.map(r => [r.kind, r.type, r.stability, r.description]),
  ]
  const widths = [0, 1, 2].map(column => Math.max(...cells.map(row => (row[column] as string).length)))
  return cells
    .map(
      row =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
