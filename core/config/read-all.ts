import { dirname } from 'node:path'
import type { Problem } from '../component/index.js'
import type { ConfigEnvironment } from './environment.js'
import type { Formats } from './formats.js'
import { merge } from './merge.js'
import type { MapNode } from './node.js'
import { type ConfigProvider, type LoadedSource, loadSource } from './providers.js'
import { parseSet } from './set.js'

export interface ReadConfig {
  /** Undefined when a source could not be read at all. */
  readonly root: MapNode | undefined
  readonly problems: readonly Problem[]
  /** Absolute paths, in order. */
  readonly files: readonly string[]
  readonly notes: readonly string[]
  readonly baseDir: string
  /** A problem in the terms of the source that it is in; undefined: it is not to be said. */
  restate(problem: Problem): Problem | undefined
}

/** Reads all sources and `--set` values and merges them, later over earlier. */
export async function readAll(
  sources: readonly string[],
  sets: readonly string[],
  environment: ConfigEnvironment,
  providers: readonly ConfigProvider[] = [],
  formats?: Formats,
): Promise<ReadConfig> {
  const problems: Problem[] = []
  const files: string[] = []
  const notes: string[] = []
  const restaters: NonNullable<LoadedSource['restate']>[] = []
  let root: MapNode | undefined
  let complete = true
  for (const [index, value] of sources.entries()) {
    const loaded = await loadSource(value, index + 1, environment, providers, formats)
    problems.push(...loaded.problems)
    files.push(...(loaded.files ?? []))
    notes.push(...(loaded.notes ?? []))
    if (loaded.restate) restaters.push(loaded.restate)
    if (!loaded.node) complete = false
    else root = root ? (merge(root, loaded.node) as MapNode) : loaded.node
  }
  for (const set of sets) {
    const { node, problems: mistakes } = parseSet(set, environment.cwd)
    problems.push(...mistakes)
    if (node) root = root ? (merge(root, node) as MapNode) : node
  }
  const baseDir = files[0] === undefined ? environment.cwd : dirname(files[0])
  const restate = (problem: Problem): Problem | undefined =>
    restaters.reduce<Problem | undefined>((told, one) => told && one(told), problem)
  return { root: complete ? root : undefined, problems, files, notes, baseDir, restate }
}
