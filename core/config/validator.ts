import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { ConfigSchema, SchemaType } from '../component/index.js'
import type { FormatCheckers, FormatProblem } from './formats.js'

export type SchemaError = ErrorObject<string, Record<string, unknown>, unknown>

/** JSON Schema validation of configuration values; compiled schemas are kept as long as their factories. */
export class Validator {
  private readonly ajv: Ajv
  private readonly compiled = new WeakMap<ConfigSchema, ValidateFunction>()

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
      check = this.ajv.compile(closed(schema))
      this.compiled.set(schema, check)
    }
    return check(value) ? [] : (check.errors as SchemaError[])
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

function withoutNumbers(type: ConfigSchema['type'] = 'string'): readonly SchemaType[] {
  return [type].flat().filter(one => one !== 'number' && one !== 'integer')
}

function mapValues<T, U>(
  table: { readonly [key: string]: T },
  change: (value: T) => U,
): { [key: string]: U } {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value)]))
}
