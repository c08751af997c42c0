import assert from 'node:assert/strict'
import type { AnyFactory, ConfigSchema } from '../../component/index.js'
import type { ConformanceCheck } from './check.js'

const STABILITIES = ['development', 'alpha', 'beta', 'stable', 'deprecated']

/** What holds for the factory of every component. */
export function factoryConformance(factory: AnyFactory): readonly ConformanceCheck[] {
  return [
    check('has a snake_case type and a known stability', () => {
      assert.match(
        factory.type,
        /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/,
        `type: "${factory.type}" is not snake_case, such as my_${factory.kind}`,
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
    check('refuses unknown keys', () => {
      assert.equal(factory.schema.type, 'object', "schema: write type: 'object'")
      assert.equal(
        factory.schema.additionalProperties,
        false,
        'schema: write additionalProperties: false, so that a mistyped option is an error',
      )
    }),
    check('describes every option', () => {
      for (const [key, property] of Object.entries(factory.schema.properties ?? {})) {
        assert.ok(property.description, `schema: the option ${key} has no description`)
      }
    }),
    check('names its options in snake_case', () => {
      for (const key of keysOf(factory.schema)) {
        assert.match(key, /^[a-z][a-z0-9_]*$/, `schema: the option ${key} is not snake_case`)
      }
    }),
  ]
}

function keysOf(schema: ConfigSchema): string[] {
  const nested = [
    ...Object.values(schema.properties ?? {}),
    ...(schema.items ? [schema.items] : []),
    ...(schema.anyOf ?? []),
  ]
  return [...Object.keys(schema.properties ?? {}), ...nested.flatMap(keysOf)]
}

function check(name: string, verify: () => void): ConformanceCheck {
  return { name, run: async () => verify() }
}
