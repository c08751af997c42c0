import { type AnyFactory, API, errorText, type Kind } from '../component/index.js'
import { type FactorySource, SECTIONS, withArticle } from './catalog.js'
import type { Findings } from './findings.js'
import type { ListNode } from './node.js'
import { PackageNotFound } from './resolve-package.js'

/** Imports a package as if from a module in `folder`. Rejects with `PackageNotFound` when it is not there. */
export type ImportPackage = (specifier: string, folder: string) => Promise<unknown>

/** What Node says where a package does not find the Tocsin that it is written for. */
const MISSING_TOCSIN = /Cannot find (?:package|module) 'tocsin(?:\/[\w-]+)?'/

/** Loads the packages that the configuration names; answers all factories, those given first. */
export async function loadPackages(
  list: ListNode,
  given: readonly FactorySource[],
  importPackage: ImportPackage,
  findings: Findings,
): Promise<FactorySource[]> {
  const factories = [...given]
  const owners = new Map<string, string>()
  for (const factory of given)
    for (const name of namesOf(factory)) owners.set(`${factory.kind}/${name}`, 'tocsin')
  for (const [index, item] of list.items.entries()) {
    const path = ['packages', index]
    const error = (message: string, fix?: string): void => {
      findings.packagesFailed = true
      findings.error(item.place, path, message, fix)
    }
    if (item.kind !== 'scalar' || typeof item.value !== 'string' || item.value === '') {
      if (item.kind !== 'invalid') error('a package is named by text', "such as '@acme/tocsin-thing'")
      continue
    }
    const name = item.value
    let exported: unknown
    try {
      exported = componentsOf(await importPackage(name, item.place.source.folder))
    } catch (failure) {
      const { folder } = item.place.source
      if (failure instanceof PackageNotFound && /^[./]/.test(name))
        error(`there is no module "${name}" in ${folder}`, 'check the path: it starts at that folder')
      else if (failure instanceof PackageNotFound)
        error(
          `the package "${name}" is not installed for ${folder}`,
          `run "npm install ${name}" in that folder`,
        )
      else
        error(
          `the package "${name}" could not be loaded: ${errorText(failure)}`,
          MISSING_TOCSIN.test(errorText(failure))
            ? 'run "npm install" with tocsin in the folder of the package: Tocsin is its peer dependency'
            : 'see its documentation, or report this to its author',
        )
      continue
    }
    if (!Array.isArray(exported)) {
      error(
        `the package "${name}" has no export "components" with a list of factories`,
        'is it a tocsin package?',
      )
      continue
    }
    const own = new Set<string>()
    for (const [number, candidate] of exported.entries()) {
      const mistake = malformed(candidate)
      if (mistake !== undefined) {
        error(`component ${number} of the package "${name}" ${mistake}`, 'report this to its author')
        continue
      }
      const { api } = candidate as { readonly api?: unknown }
      if (api !== API) {
        error(
          `the package "${name}" is written against ${api === undefined ? 'no version' : `version ${JSON.stringify(api)}`} of the component contract, and this Tocsin has version ${API}`,
          typeof api === 'number' && api > API
            ? 'install a newer tocsin'
            : typeof api === 'string' && Number(api) === API
              ? `its author writes the number: api: ${API}`
              : 'install a newer version of the package: docs/contract.md tells its author what changed',
        )
        continue
      }
      const factory = candidate as AnyFactory
      const taken = namesOf(factory).find(type => owners.has(`${factory.kind}/${type}`))
      if (taken !== undefined) {
        error(
          `the package "${name}" brings ${withArticle(factory.kind)} type "${taken}", which ${owners.get(`${factory.kind}/${taken}`)} has already`,
          own.has(`${factory.kind}/${taken}`)
            ? 'report this to its author'
            : 'remove one of the two packages',
        )
        continue
      }
      for (const type of namesOf(factory)) {
        own.add(`${factory.kind}/${type}`)
        owners.set(`${factory.kind}/${type}`, `the package "${name}"`)
      }
      factories.push(factory)
    }
  }
  return factories
}

function componentsOf(module: unknown): unknown {
  const { components, default: fallback } = (module ?? {}) as {
    components?: unknown
    default?: { components?: unknown }
  }
  return components ?? fallback?.components
}

function namesOf(factory: FactorySource): readonly string[] {
  return [factory.type, ...(factory.aliases ?? [])]
}

const KINDS: readonly string[] = SECTIONS.map(([, kind]): Kind => kind)

function malformed(candidate: unknown): string | undefined {
  if (typeof candidate !== 'object' || candidate === null) return 'is not a factory'
  const factory = candidate as { readonly [key: string]: unknown }
  if (factory.kind === undefined)
    return 'has no kind, which defineReceiver(), defineExporter() and the like of tocsin/component give it'
  if (!KINDS.includes(String(factory.kind)))
    return `has the kind "${String(factory.kind)}", not one of ${KINDS.join(', ')}`
  if (typeof factory.type !== 'string' || !/^[a-zA-Z][a-zA-Z0-9_]{0,62}$/.test(factory.type))
    return `has the type "${String(factory.type)}", which is no snake_case name`
  if (factory.aliases !== undefined && !areTexts(factory.aliases))
    return `("${factory.type}") has "aliases" that are no list of types`
  for (const text of ['stability', 'description'])
    if (typeof factory[text] !== 'string') return `("${factory.type}") has no ${text}`
  if (typeof factory.schema !== 'object' || factory.schema === null || Array.isArray(factory.schema))
    return `("${factory.type}") has no schema`
  const { type = 'object' } = factory.schema as { readonly type?: unknown }
  if (type !== 'object')
    return `("${factory.type}") has a schema of the type ${JSON.stringify(type)}: that of a configuration is "object"`
  if (typeof factory.create !== 'function') return `("${factory.type}") has no function "create"`
  if (factory.check !== undefined && typeof factory.check !== 'function')
    return `("${factory.type}") has a "check" that is no function`
  return undefined
}

function areTexts(list: unknown): boolean {
  return Array.isArray(list) && list.every(one => typeof one === 'string')
}
