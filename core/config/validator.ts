import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { ConfigSchema, SchemaType } from '../component/index.js'
import type { FormatCheckers, FormatProblem } from './formats.js'

export type SchemaError = ErrorObject<string, Record<string, unknown>, unknown>

/** JSON Schema validation of configuration values; compiled schemas are kept as long as their factories. */
export class Validator {
  private readonly ajv: Ajv
  private readonly compiled = new WeakMap<ConfigSchema, ValidateFunction>()
  /** What the first value of a schema has of it: compiling that alone takes a tenth of the time. */
  private readonly briefs = new WeakMap<
    ConfigSchema,
    { readonly cut: string; readonly check: ValidateFunction }
  >()

  constructor(readonly formats: FormatCheckers) {
    this.ajv = new Ajv({
      allErrors: true,
      verbose: true,
      strict: false,
      // Our keywords are no JSON Schema: the meta-schema would only cost time.
      meta: false,
      validateSchema: false,
      logger: false,
      code: { optimize: false },
      formats: Object.fromEntries(
        Object.entries(formats).map(([name, check]) => [
          name,
          // What a template may hold depends on the engine that is named beside it: see check-value.
          (text: string) => name === 'template' || problemsOf(check(text)).length === 0,
        ]),
      ),
    })
  }

  /** Throws when the schema itself is malformed. */
  validate(value: unknown, schema: ConfigSchema): readonly SchemaError[] {
    let check = this.compiled.get(schema)
    if (!check) {
      // What it finds wrong is told by the whole schema, which knows the keys that are not there.
      if (this.passes(value, schema)) return []
      check = this.ajv.compile(closed(schema))
      this.compiled.set(schema, check)
    }
    return check(value) ? [] : (check.errors as SchemaError[])
  }

  private passes(value: unknown, schema: ConfigSchema): boolean {
    const cut: string[] = []
    const part = partFor(value, schema, cut)
    const names = cut.join('\n')
    let brief = this.briefs.get(schema)
    if (!brief) {
      brief = { cut: names, check: this.ajv.compile(closed(part)) }
      this.briefs.set(schema, brief)
    }
    // A second kind of value says that more will come: then the whole schema is worth its time.
    return brief.cut === names && brief.check(value) === true
  }
}

/** One for each set of checkers, so that a reload finds its schemas compiled. */
export function validatorFor(formats: FormatCheckers): Validator {
  const validator = VALIDATORS.get(formats) ?? new Validator(formats)
  VALIDATORS.set(formats, validator)
  return validator
}

const VALIDATORS = new WeakMap<FormatCheckers, Validator>()

export function problemsOf(
  result: FormatProblem | readonly FormatProblem[] | undefined,
): readonly FormatProblem[] {
  if (result === undefined) return []
  return Array.isArray(result) ? (result as readonly FormatProblem[]) : [result as FormatProblem]
}

/** A map with named keys takes no others, unless the schema says so. Branches only add to what is around them. */
export function closed(schema: ConfigSchema, insideProperties = false): ConfigSchema {
  const { properties, additionalProperties, items, anyOf, ...rest } = schema
  const named = properties !== undefined
  return {
    ...rest,
    // A size may be a number, which formats do not look at.
    ...(rest.format === 'byte-size' && { minimum: rest.minimum ?? 0 }),
    // A number without a unit is no duration; 0 is text by now.
    ...(rest.format === 'duration' && { type: withoutNumbers(rest.type) }),
    ...(named && { properties: mapValues(properties, property => closed(property)) }),
    ...(additionalProperties !== undefined
      ? {
          additionalProperties:
            typeof additionalProperties === 'object' ? closed(additionalProperties) : additionalProperties,
        }
      : named && !insideProperties && { additionalProperties: false }),
    ...(items && { items: closed(items) }),
    ...(anyOf && { anyOf: anyOf.map(branch => closed(branch, insideProperties || named)) }),
  }
}

/** The schema without what it says of keys that the value has not; their paths go to `cut`. It allows the same values. */
function partFor(value: unknown, schema: ConfigSchema, cut: string[], at = ''): ConfigSchema {
  const { properties, items, anyOf } = schema
  const has = (key: string): boolean =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, key)
  const without = (path: string): ConfigSchema => {
    cut.push(path)
    return {}
  }
  const partOf = (property: ConfigSchema, key: string): ConfigSchema =>
    has(key)
      ? partFor((value as { readonly [key: string]: unknown })[key], property, cut, `${at}/${key}`)
      : without(`${at}/${key}`)
  return {
    ...schema,
    ...(properties && { properties: mapValues(properties, partOf) }),
    ...(items && !(Array.isArray(value) && value.length > 0) && { items: without(`${at}/[]`) }),
    ...(anyOf && { anyOf: anyOf.map((branch, n) => partFor(value, branch, cut, `${at}|${n}`)) }),
  }
}

function withoutNumbers(type: ConfigSchema['type'] = 'string'): readonly SchemaType[] {
  return [type].flat().filter(one => one !== 'number' && one !== 'integer')
}

function mapValues<T, U>(
  table: { readonly [key: string]: T },
  change: (value: T, key: string) => U,
): { [key: string]: U } {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value, key)]))
}
