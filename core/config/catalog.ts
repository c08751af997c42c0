import type { AnyFactory, CheckProblem, ConfigSchema, Kind } from '../component/index.js'

export type Section = 'receivers' | 'processors' | 'exporters' | 'connectors' | 'extensions'

export const SECTIONS: readonly (readonly [Section, Kind])[] = [
  ['receivers', 'receiver'],
  ['processors', 'processor'],
  ['exporters', 'exporter'],
  ['connectors', 'connector'],
  ['extensions', 'extension'],
]

/** What the core adds to all components of a kind, such as the queue and retry of exporters. */
export interface CommonKeys {
  readonly schema: ConfigSchema
  /** As `Factory.check`, for these keys. */
  check?(config: object, factory: AnyFactory): readonly CheckProblem[]
}

export type CommonSchemas = { readonly [kind in Kind]?: CommonKeys }

/** The component types that are there. */
export class Catalog {
  private readonly byName = new Map<string, AnyFactory>()

  constructor(
    readonly factories: readonly AnyFactory[],
    private readonly common: CommonSchemas,
  ) {
    for (const factory of factories)
      for (const name of [...(factory.aliases ?? []), factory.type])
        this.byName.set(`${factory.kind}/${name}`, factory)
  }

  /** By type or alias. */
  find(kind: Kind, type: string): AnyFactory | undefined {
    return this.byName.get(`${kind}/${type}`)
  }

  types(kind: Kind): string[] {
    return this.factories
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
    const own = factory.check as ((config: object) => readonly CheckProblem[]) | undefined
    return [
      ...(own?.call(factory, config) ?? []),
      ...(this.common[factory.kind]?.check?.(config, factory) ?? []),
    ]
  }
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
