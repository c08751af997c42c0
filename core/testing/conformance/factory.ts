import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { type AnyFactory, API, type ConfigSchema } from '../../component/index.js'
import { schemaMistake } from '../../config/schema-mistake.js'
import type { ConformanceCheck } from './check.js'

const STABILITIES = ['development', 'alpha', 'beta', 'stable', 'deprecated']

/** What holds for the factory of every component: contract, names, a schema that refuses and describes. */
export function factoryConformance(factory: AnyFactory): readonly ConformanceCheck[] {
  return [
    check('is written against this version of the contract', () => {
      assert.equal(
        factory.api,
        API,
        `api: ${inspect(factory.api)} in the factory, and this Tocsin has ${API}: write api: ${API} when docs/contract.md is followed`,
      )
      assert.equal(
        typeof factory.create,
        'function',
        'create: the factory has no function create(context), which makes the component',
      )
    }),
    check('has a snake_case type and a known stability', () => {
      assert.match(
        factory.type,
        /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/,
        `type: "${factory.type}" is not snake_case, such as my_${factory.kind}`,
      )
      const { aliases = [] }: { readonly aliases?: unknown } = factory
      assert.ok(
        Array.isArray(aliases) && aliases.every(alias => typeof alias === 'string'),
        `aliases: ${inspect(aliases)} is no list of types`,
      )
      assert.ok(
        STABILITIES.includes(factory.stability),
        `stability: "${factory.stability}" is none of ${STABILITIES.join(', ')}`,
      )
    }),
    check('is described in one sentence', () => {
      assert.match(
        factory.description,
        /^[A-Z].{10,160}\.$/s,
        `description: "${factory.description}" is no sentence: a capital, 10 to 160 characters, a full stop`,
      )
    }),
    check('has a schema without mistakes', () => {
      const mistake = schemaMistake(factory.schema)
      assert.ok(mistake === undefined, mistake)
    }),
    check('refuses unknown keys', () => {
      assert.equal(factory.schema?.type, 'object', "schema: write type: 'object'")
      assert.equal(
        factory.schema.additionalProperties,
        false,
        'schema: write additionalProperties: false, so that a mistyped option is an error',
      )
    }),
    check('describes every option', () => {
      for (const [key, property] of Object.entries(factory.schema?.properties ?? {})) {
        assert.ok(
          property?.description,
          `schema: the option ${key} has no description: say in one sentence what it does`,
        )
      }
    }),
    check('names its options in snake_case', () => {
      for (const key of keysOf(factory.schema)) {
        assert.match(
          key,
          /^[a-z][a-z0-9_]*$/,
          `schema: the option ${key} is not snake_case, as all of a configuration is`,
        )
      }
    }),
  ]
}

/** What is no schema has none. */
function keysOf(schema: ConfigSchema | null | undefined): string[] {
  const nested = [
    ...Object.values(schema?.properties ?? {}),
    ...(schema?.items ? [schema.items] : []),
    ...(schema?.anyOf ?? []),
  ]
  return [...Object.keys(schema?.properties ?? {}), ...nested.flatMap(keysOf)]
}

function check(name: string, verify: () => void): ConformanceCheck {
  return { name, run: async () => verify() }
}
