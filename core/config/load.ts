import {
  ConfigError,
  type Kind,
  type LintContext,
  type Problem,
  type SchemaFormat,
} from '../component/index.js'
import { Catalog, type CommonSchemas, type FactorySource, SECTIONS, type Section } from './catalog.js'
import { checkFiles, lintComponents } from './check-files.js'
import { checkSection, type Defined, secretTexts } from './components.js'
import type { ConfigEnvironment } from './environment.js'
import { expand } from './expand.js'
import { Findings, inOrder } from './findings.js'
import { type Formats, formatsOf } from './formats.js'
import { parseId } from './ids.js'
import { takeInline, writtenPath } from './inline.js'
import { lintPipelines } from './lint-pipelines.js'
import { type TemplateNames, warnOfUnmadeNames } from './made-names.js'
import type { Entry, MapNode, Node } from './node.js'
import { type ImportPackage, loadPackages } from './packages.js'
import type { ConfigProvider } from './providers.js'
import { readAll } from './read-all.js'
import { redactedConfig } from './redact.js'
import { importFrom } from './resolve-package.js'
import { checkService } from './service.js'
import { listed, nearest } from './suggest.js'
import type { ComponentConfig, ServiceConfig } from './types.js'
import { validatorFor } from './validator.js'
import { warnOfReadableSecrets } from './world-readable.js'

export interface ConfigRequest {
  /** The values of `--config`, in order. */
  readonly sources: readonly string[]
  /** The values of `--set`, in order; they win over the sources. */
  readonly sets: readonly string[]
  /** Those that load on demand are loaded when the configuration names them. */
  readonly factories: readonly FactorySource[]
  readonly formats: Formats
  readonly common: CommonSchemas
  readonly environment: ConfigEnvironment
  /** Ways to read a `--config` value besides those of the core. */
  readonly providers?: readonly ConfigProvider[]
  readonly importPackage?: ImportPackage
  /** Also looks at the files that the components in use name. */
  readonly checkFiles?: boolean
  /** Also says what is valid and yet hardly meant. */
  readonly lint?: Pick<LintContext, 'lines'>
  /** Loaded when a configuration has templates: what they show. */
  readonly templateNames?: () => Promise<TemplateNames>
  /** What to do when there is no source at all. */
  readonly hint?: string
}

export interface LoadedConfig {
  readonly config: ServiceConfig
  /** By `kind/type`: those of the request and of the packages. */
  readonly factories: ReadonlyMap<string, FactorySource>
  readonly warnings: readonly Problem[]
  /** What providers have to say about what they read. */
  readonly notes: readonly string[]
  /** Relative paths start here: the folder of the first file, else the working directory. */
  readonly baseDir: string
  /** Absolute paths of the configuration files. */
  readonly files: readonly string[]
  /** Those of the components, longest first. */
  secrets(): readonly string[]
  /** The merged and expanded configuration, without defaults and secrets, to be shown. */
  redacted(): unknown
}

/** Reads, merges, expands and validates a configuration. Throws a `ConfigError` with all problems. */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig> {
  const findings = new Findings()
  const { read, root, taken, factories } = await readPackages(request, findings)
  const ofSources = new Set(findings.problems)
  const catalog = new Catalog(factories, request.common)
  const { validator, used } = await prepared(root, catalog, request.formats)

  const defined = Object.fromEntries(
    SECTIONS.map(([section, kind]) => [
      kind,
      checkSection(entriesOf(root, section, kind, findings), section, kind, catalog, validator, findings),
    ]),
  ) as { [kind in Kind]: Map<string, Defined> }
  const normalized = SECTIONS.flatMap(([section, kind]) =>
    [...defined[kind]].map(([id, { node }]) => ({ path: [section, id], node })),
  )
  const { lint, environment } = request
  await warnOfReadableSecrets(normalized, read.files, environment, findings, lint !== undefined)
  const { node: serviceNode, service } = checkService(root, defined, catalog, validator, findings)

  if (request.templateNames && service && used.has('template')) {
    warnOfUnmadeNames(service.pipelines, defined, await request.templateNames(), findings)
  }
  if (request.checkFiles && service) await checkFiles(defined, service, read.baseDir, findings)
  if (lint && service) {
    lintPipelines(service.pipelines, defined, serviceNode, findings)
    await lintComponents(defined, service, { baseDir: read.baseDir, ...lint }, findings)
  }

  const names = request.sources.map(source => source.replace(/^[a-z]+:/, ''))
  const shown = (problems: readonly Problem[]): readonly Problem[] =>
    inOrder(
      problems.flatMap(problem => {
        const told = read.restate(problem)
        return told ? [{ ...told, path: writtenPath(told.path, taken.inline) }] : []
      }),
      names,
    )
  const { problems: found } = findings
  // Beside errors most warnings are what follows from them; those of a source (`valerter:`) stand by themselves.
  if (!service || found.some(({ severity }) => severity === 'error'))
    throw new ConfigError(shown(found.filter(one => one.severity === 'error' || ofSources.has(one))))
  const problems = shown(found)
  return {
    config: {
      receivers: componentsOf(defined.receiver),
      processors: componentsOf(defined.processor),
      exporters: componentsOf(defined.exporter),
      connectors: componentsOf(defined.connector),
      extensions: componentsOf(defined.extension),
      service,
    } as ServiceConfig,
    factories: new Map(factories.map(factory => [`${factory.kind}/${factory.type}`, factory])),
    warnings: problems,
    notes: read.notes,
    baseDir: read.baseDir,
    files: read.files,
    secrets: () => secretsOf(normalized.map(({ node }) => node)),
    redacted: () => redactedConfig(taken, defined, serviceNode, catalog),
  }
}

/** The factories of a configuration: those of the request and of its packages. Nothing else of it need be valid. */
export async function loadFactories(request: ConfigRequest): Promise<readonly FactorySource[]> {
  const findings = new Findings()
  const { factories } = await readPackages(request, findings)
  const errors = findings.problems.filter(
    ({ severity, path }) => severity === 'error' && path[0] === 'packages',
  )
  if (errors.length > 0) throw new ConfigError(errors)
  return factories
}

async function readPackages(request: ConfigRequest, findings: Findings) {
  const { sources, sets, environment, providers, formats } = request
  const read = await readAll(sources, sets, environment, providers, formats)
  findings.problems.push(...read.problems)
  if (!read.root) {
    throw new ConfigError(findings.problems.length > 0 ? findings.problems : [noSource(request.hint)])
  }
  const expanded = await expand(withoutExtras(read.root), environment)
  findings.problems.push(...expanded.problems)
  const taken = takeInline(checkTopLevel(expanded.node as MapNode, findings), findings)
  const { root } = taken
  const packages = listOf(root.entries.get('packages'), findings)
  const importPackage = request.importPackage ?? importFrom
  const factories = packages
    ? await loadPackages(packages, request.factories, importPackage, findings)
    : request.factories
  return { read, root, taken, factories }
}

/** Loads what the configuration names: factories, and the languages that its values are in. */
async function prepared(root: MapNode, catalog: Catalog, formats: Formats) {
  const used = new Set<SchemaFormat>()
  for (const [section, kind] of SECTIONS) {
    const entries = root.entries.get(section)?.value
    if (entries?.kind !== 'map') continue
    for (const [id, { value }] of entries.entries) {
      const parsed = parseId(id)
      if ('message' in parsed) continue
      await catalog.load(kind, parsed.type)
      const factory = catalog.factory(kind, parsed.type)
      if (!factory) continue
      const { properties = {}, ...rest } = catalog.schema(factory)
      const keys = value.kind === 'map' ? [...value.entries.keys()] : []
      // A key that is not known as it is may mean any.
      const schemas = keys.map(key => properties[key] ?? { properties })
      for (const format of [rest, ...schemas].flatMap(formatsOf)) used.add(format)
    }
  }
  return { validator: validatorFor(await formats.load(used)), used }
}

function noSource(hint = 'name a file with --config FILE'): Problem {
  return { severity: 'error', path: [], message: 'there is no configuration', fix: hint }
}

const TOP_LEVEL = [...SECTIONS.map(([section]): string => section), 'service', 'packages']

/** Goes on with misspelt sections under their right names, so that nothing in them is taken for missing. */
function checkTopLevel(root: MapNode, findings: Findings): MapNode {
  const entries = new Map(root.entries)
  for (const [key, entry] of root.entries) {
    if (TOP_LEVEL.includes(key)) continue
    const near = nearest(key, TOP_LEVEL)
    const inService = ['pipelines', 'telemetry', 'shutdown_timeout'].includes(key)
    const hint = inService
      ? `it belongs at service.${key}; `
      : near === undefined
        ? ''
        : `did you mean "${near}"? `
    findings.error(entry.key, [key], `unknown key "${key}"`, hint + listed(TOP_LEVEL, 'valid keys'))
    if (near !== undefined && !entries.has(near)) entries.set(near, entry)
    if (inService && !entries.has('service')) entries.set('service', { ...entry, value: wrapped(key, entry) })
  }
  return { ...root, entries }
}

function wrapped(key: string, entry: Entry): MapNode {
  return { kind: 'map', place: entry.value.place, entries: new Map([[key, entry]]) }
}

function entriesOf(
  root: MapNode,
  section: Section,
  kind: Kind,
  findings: Findings,
): ReadonlyMap<string, Entry> {
  const entry = root.entries.get(section)
  const node = entry && findings.open(entry.value)
  if (!entry || !node || isNothing(node)) return new Map()
  if (node.kind === 'map') return node.entries
  findings.unreadable.add(kind)
  if (node.kind !== 'invalid') {
    const found = node.kind === 'list' ? 'a list' : 'a single value'
    const fix = `below "${section}:" write, indented, "type:" or "type/name:" for each ${kind}`
    findings.error(entry.key, [section], `expected ids with their configuration, found ${found}`, fix)
  }
  return new Map()
}

function listOf(entry: Entry | undefined, findings: Findings): Extract<Node, { kind: 'list' }> | undefined {
  const node = entry && findings.open(entry.value)
  if (!entry || !node || node.kind === 'invalid' || isNothing(node)) return undefined
  if (node.kind === 'list') return node
  findings.error(
    entry.key,
    ['packages'],
    'expected a list of package names',
    "such as ['@acme/tocsin-thing']",
  )
  return undefined
}

function isNothing(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null
}

function componentsOf(defined: ReadonlyMap<string, Defined>): { [id: string]: ComponentConfig } {
  const components: { [id: string]: ComponentConfig } = {}
  for (const [id, { component }] of defined) if (component) components[id] = component
  return components
}

/** Keys such as `x-defaults` hold what YAML anchors in the file name; they mean nothing by themselves. */
function withoutExtras(root: MapNode): MapNode {
  return { ...root, entries: new Map([...root.entries].filter(([key]) => !key.startsWith('x-'))) }
}

/** Short words are too likely to stand in a text for another reason. */
const MIN_SECRET = 4

function secretsOf(nodes: readonly Node[]): readonly string[] {
  const secrets = new Set(nodes.flatMap(secretTexts).filter(text => text.length >= MIN_SECRET))
  return [...secrets].sort((a, b) => b.length - a.length)
}
