import { dirname, relative, resolve } from 'node:path'
import type { Problem } from '../component/index.js'
import type { ConfigEnvironment } from './environment.js'
import type { Formats } from './formats.js'
import { merge } from './merge.js'
import { type MapNode, type Node, problemAt } from './node.js'
import { fetchDocument, type ReadText, readDocument } from './read.js'
import { redactUrl } from './secrets.js'
import { nest } from './set.js'
import { fixedSource, type Source, textSource } from './source.js'
import { parseYaml } from './yaml.js'

export interface LoadedSource {
  readonly node?: MapNode
  readonly problems: readonly Problem[]
  /** Absolute paths of what was read. */
  readonly files?: readonly string[]
  /** For the log, such as which version of a format it was. */
  readonly notes?: readonly string[]
  /** Says in its own terms what was found in the configuration that this became; undefined: it is not to be said. */
  readonly restate?: (problem: Problem) => Problem | undefined
}

/** A way to read a configuration, which a distribution adds: `--config SCHEME:REST`. */
export interface ConfigProvider {
  readonly scheme: string
  /** For help, such as `valerter:PATH`. */
  readonly usage: string
  /** The answer is a configuration of ours, with the places of what it was made from. */
  read(rest: string, environment: ConfigEnvironment, formats: Formats): Promise<LoadedSource>
}

/**
 * Reads one `--config` value: a path, `file:path`, `env:NAME`, `yaml:text`, `http://...`, `https://...`, or what a
 * provider reads. A path may be a folder, whose *.yaml and *.yml are merged in the order of their names, or a glob.
 */
export async function loadSource(
  value: string,
  number: number,
  environment: ConfigEnvironment,
  providers: readonly ConfigProvider[] = [],
  formats?: Formats,
): Promise<LoadedSource> {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(value)?.[1]?.toLowerCase()
  const rest = scheme ? value.slice(scheme.length + 1) : value
  const { cwd } = environment
  switch (scheme) {
    case undefined:
    case 'file':
      return readPaths(rest, environment)
    case 'env': {
      const text = environment.env[rest]
      if (text === undefined)
        return failed(`env:${rest}`, 'the variable is not set', `set ${rest} to YAML text`, cwd)
      return parse({ text }, `env:${rest}`, cwd)
    }
    case 'yaml': {
      const loaded = parse({ text: rest }, `--config[${number}]`, cwd)
      return loaded.node ? { ...loaded, node: nest(loaded.node, '::') } : loaded
    }
    case 'http':
    case 'https':
      return parse(await fetchDocument(value, environment), redactUrl(value), cwd)
    default: {
      const provider = providers.find(one => one.scheme === scheme)
      if (provider && formats) return provider.read(rest, environment, formats)
      const fix = `use a path, file:, env:, yaml:, http:// or https://; for a file of that name write "file:..."`
      return failed(`--config[${number}]`, `"${scheme}:" is not a way to read a configuration`, fix, cwd)
    }
  }
}

async function readPaths(path: string, environment: ConfigEnvironment): Promise<LoadedSource> {
  const { cwd } = environment
  const several = await environment.filesOf?.(resolve(cwd, path))
  if (!several) {
    const file = resolve(cwd, path)
    return { ...parse(await readDocument(file, environment), path, dirname(file)), files: [file] }
  }
  if (several.length === 0)
    return failed(path, 'there is no *.yaml or *.yml here', 'is it the right folder?', cwd)
  const problems: Problem[] = []
  let root: MapNode | undefined
  for (const file of several) {
    const shown = relative(cwd, file).startsWith('..') ? file : relative(cwd, file)
    const loaded = parse(await readDocument(file, environment), shown, dirname(file))
    problems.push(...loaded.problems)
    if (loaded.node) root = root ? (merge(root, loaded.node) as MapNode) : loaded.node
  }
  return { ...(root && { node: root }), problems, files: several }
}

function parse(read: ReadText, name: string, folder: string): LoadedSource {
  if ('reason' in read) return failed(name, read.reason, read.fix, folder)
  const source = textSource(name, folder, read.text)
  const { node, problems } = parseYaml(read.text, source)
  if (problems.length > 0 && !node) return { problems }
  if (!node || (node.kind === 'scalar' && node.value === null))
    return failed(
      name,
      'the configuration is empty',
      'it needs at least receivers, exporters and service',
      folder,
    )
  if (node.kind !== 'map') return { problems: [...problems, notAMap(node, source)] }
  return { node, problems }
}

function notAMap(node: Node, source: Source): Problem {
  const found = node.kind === 'list' ? 'a list' : 'a single value'
  const fix = 'the top level has the keys receivers, processors, exporters, service'
  return problemAt(
    { source, offset: node.place.offset },
    [],
    `found ${found} where keys and values belong`,
    fix,
  )
}

function failed(name: string, reason: string, fix: string, folder: string): LoadedSource {
  return { problems: [problemAt({ source: fixedSource(name, folder), offset: 0 }, [], reason, fix)] }
}
