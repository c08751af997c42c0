import { inspect } from 'node:util'
import type { AnyFactory, CheckProblem, ConfigSchema, Kind } from '../component/index.js'

export type Section = 'receivers' | 'processors' | 'exporters' | 'connectors' | 'extensions'

export const SECTIONS: readonly (readonly [Section, Kind])[] = [
  ['receivers', 'receiver'],
  ['processors', 'processor'],
  ['exporters', 'exporter'],
  ['connectors', 'connector'],
  ['extensions', 'extension'],
]

/** A component type whose code and libraries are loaded when a configuration names it. */
export interface LazyFactory {
  readonly kind: Kind
  readonly type: string
  /** As the factory's. */
  readonly aliases?: readonly string[]
  load(): Promise<AnyFactory>
}

/** A factory, or what loads one when a configuration names it. */
export type FactorySource = AnyFactory | LazyFactory

export async function loaded(source: FactorySource): Promise<AnyFactory> {
  return 'load' in source ? source.load() : source
}

/** What the core adds to all components of a kind, such as the queue and retry of exporters. */
export interface CommonKeys {
  readonly schema: ConfigSchema
  /** As `Factory.check`, for these keys. */
  check?(config: object, factory: AnyFactory): readonly CheckProblem[]
}

export type CommonSchemas = { readonly [kind in Kind]?: CommonKeys }

/** The component types that are there. */
export class Catalog {
  private readonly byName = new Map<string, FactorySource>()
  private readonly factories = new Map<FactorySource, AnyFactory>()

  constructor(
    private readonly sources: readonly FactorySource[],
    private readonly common: CommonSchemas,
  ) {
    for (const source of sources) {
      if (!('load' in source)) this.factories.set(source, source)
      for (const name of [...(source.aliases ?? []), source.type])
        this.byName.set(`${source.kind}/${name}`, source)
    }
  }

  /** By type or alias. */
  find(kind: Kind, type: string): FactorySource | undefined {
    return this.byName.get(`${kind}/${type}`)
  }

  /** Has the factory of a type, where there is one, at hand from now on. */
  async load(kind: Kind, type: string): Promise<void> {
    const source = this.find(kind, type)
    if (source && !this.factories.has(source)) this.factories.set(source, await loaded(source))
  }

  /** The factory of a type that was loaded. */
  factory(kind: Kind, type: string): AnyFactory | undefined {
    const source = this.find(kind, type)
    return source && this.factories.get(source)
  }

  types(kind: Kind): string[] {
    return this.sources
      .filter(factory => factory.kind === kind)
      .map(factory => factory.type)
      .sort()
  }

  kindsOf(type: string): Kind[] {
    return SECTIONS.map(([, kind]) => kind).filter(kind => this.find(kind, type))
  }

  /** The factory's schema with the common keys of its kind. The same object for the same factory. */
  schema(factory: AnyFactory): ConfigSchema {
    return mergedSchema(factory.schema, this.common[factory.kind]?.schema ?? NOTHING)
  }

  /** What its author and the core find wrong with a configuration that its schema allows. */
  check(factory: AnyFactory, config: object): readonly CheckProblem[] {
    const own = (factory.check as ((config: object) => unknown) | undefined)?.call(factory, config) ?? []
    if (!areProblems(own))
      throw new TypeError(
        `check() answered ${inspect(own, { depth: 1 })}; it must answer a list of { path, message, fix }, and no promise of one`,
      )
    return [...own, ...(this.common[factory.kind]?.check?.(config, factory) ?? [])]
  }
}

function areProblems(answer: unknown): answer is readonly CheckProblem[] {
  return (
    Array.isArray(answer) &&
    answer.every(problem => Array.isArray(problem?.path) && typeof problem.message === 'string')
  )
}

export function withArticle(kind: Kind): string {
  return kind === 'exporter' || kind === 'extension' ? `an ${kind}` : `a ${kind}`
}

const NOTHING: ConfigSchema = {}

// Kept across loads: the validator keeps compiled schemas by identity.
const MERGED = new WeakMap<ConfigSchema, WeakMap<ConfigSchema, ConfigSchema>>()

function mergedSchema(own: ConfigSchema, common: ConfigSchema): ConfigSchema {
  const known = MERGED.get(common) ?? new WeakMap<ConfigSchema, ConfigSchema>()
  MERGED.set(common, known)
  const merged = known.get(own) ?? {
    type: 'object',
    ...own,
    properties: { ...common.properties, ...own.properties },
    aliases: { ...common.aliases, ...own.aliases },
    synonyms: { ...common.synonyms, ...own.synonyms },
    ignored: { ...common.ignored, ...own.ignored },
  }
  known.set(own, merged)
  return merged
}
