import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { Ajv } from 'ajv'
import { load as loadYaml } from 'js-yaml'
import type { ConfigSchema, Kind } from 'tocsin/component'
import { describe, expect, test } from 'vitest'
import { processIo } from '../core/cli/io.js'
import { configSchema, load, loadAll } from '../core/cli/load.js'
import { SERVICE_SCHEMA } from '../core/config/service-schema.js'
import { exporterCommon } from '../core/delivery/schema.js'
import { components as sources } from '../distributions/full/components.js'
import { full } from '../distributions/full/index.js'
import { componentsTable } from '../scripts/components-table.mjs'
import { reference } from '../scripts/reference.mjs'
import { ROOT } from './support/shared.js'

const components = await loadAll(sources)

const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md'],
  ...['docs', 'core', 'receivers', 'processors', 'exporters', 'distributions'].flatMap(folder =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.md') && !name.includes('templates/'))
      .map(name => join(folder, name)),
  ),
]

/** What examples take from the environment. */
const ENV = new Proxy<{ [name: string]: string }>(
  {},
  {
    get: (_, name) => (/URL|WEBHOOK|ENDPOINT/.test(String(name)) ? 'https://127.0.0.1:1/hook' : 'example'),
    has: () => true,
    ownKeys: () => [],
  },
)

const schema = (await configSchema(full, { config: [], set: [] }, processIo())) as object
const allows = new Ajv({ strict: false, allErrors: true }).compile(schema)

describe('the YAML examples of the documentation are valid as they stand', () => {
  // Those of docs/contract.md name components of its own: doors.test.ts runs them.
  for (const document of DOCUMENTS.filter(name => name !== 'docs/contract.md')) {
    const text = readFileSync(join(ROOT, document), 'utf8')
    for (const [index, [, yaml = '']] of [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].entries()) {
      // A fragment (one component's options) is made whole by the text around it; whole ones have a service.
      test.skipIf(!/^service:/m.test(yaml))(`${document}, example ${index + 1}`, async () => {
        const folder = await mkdtemp(join(tmpdir(), 'tocsin-docs-'))
        const file = join(folder, 'example.yaml')
        await writeFile(file, yaml, { mode: 0o600 })
        const io = { ...processIo(), cwd: folder, env: ENV }
        const { settings } = await load(full, { config: [file], set: [] }, io)
        expect(settings.warnings).toEqual([])
        // What editors are given says the same (`tocsin schema`).
        allows(loadYaml(yaml))
        expect(allows.errors).toBeNull()
        await rm(folder, { recursive: true })
      })
    }
  }
})

test('a distribution names its components as they call themselves', () => {
  for (const [index, { kind, type, aliases = [] }] of sources.entries()) {
    const factory = components[index]
    expect({ kind, type, aliases }).toEqual({
      kind: factory?.kind,
      type: factory?.type,
      aliases: factory?.aliases ?? [],
    })
  }
})

test('every component has a whole example in its README', () => {
  for (const { kind, type } of components) {
    const { folder, readme } = readmeOf(kind, type)
    expect(readme, `${folder}/${type}/README.md`).toMatch(/```yaml\n[\s\S]*?^service:/m)
  }
})

test('every option of every component is in its README', () => {
  for (const { kind, type, schema } of components) {
    const { folder, readme } = readmeOf(kind, type)
    for (const key of Object.keys(schema.properties ?? {})) {
      expect(readme, `${folder}/${type}/README.md: ${key}`).toMatch(new RegExp(`\\b${key}\\b`))
    }
  }
})

test('the table of components in the README is up to date (node scripts/components-table.mjs)', () => {
  expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(componentsTable(components))
})

test('docs/reference.md is up to date (node scripts/reference.mjs)', () => {
  const text = reference(components, { common: exporterCommon, service: SERVICE_SCHEMA })
  expect(readFileSync(join(ROOT, 'docs/reference.md'), 'utf8')).toBe(text)
})

test('every key says what it means, which editors show', () => {
  const undescribed = (schema: ConfigSchema, path: string): string[] => {
    const below = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? [])]
    return [
      ...Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [
        ...(value.description ? [] : [`${path}.${key}`]),
        ...undescribed(value, `${path}.${key}`),
      ]),
      ...below.flatMap(one => (typeof one === 'object' ? undescribed(one, `${path}[]`) : [])),
    ]
  }
  const schemas = components.map(({ kind, type, schema }) => [`${kind} ${type}`, schema] as const)
  const all = [...schemas, ['common', exporterCommon] as const, ['service', SERVICE_SCHEMA] as const]
  expect(all.flatMap(([name, schema]) => undescribed(schema, name))).toEqual([])
})

test('the runbook has a section for each alerting rule', () => {
  const rules = readFileSync(join(ROOT, 'distributions/prometheus/rules.yaml'), 'utf8')
  const runbook = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8')
  const names = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => `## ${name}`)
  expect([...runbook.matchAll(/^## Tocsin\w+$/gm)].map(String)).toEqual(names)
})

test('counters of ours have their _total in the documentation, as on /metrics', () => {
  const sources = ['core', 'receivers', 'processors', 'exporters'].flatMap(folder =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map(name => readFileSync(join(ROOT, folder, name), 'utf8')),
  )
  const name = /create(?:Observable)?Counter\(\s*['"`](tocsin_\w+?)(?:_total)?['"`]/g
  const counters = sources.flatMap(text => [...text.matchAll(name)].map(match => match[1]))
  expect(counters).toContain('tocsin_parser_log_records')
  for (const document of DOCUMENTS) {
    const text = readFileSync(join(ROOT, document), 'utf8')
    for (const counter of counters) {
      expect(text, document).not.toMatch(new RegExp(`\\b${counter}(?!_total)\\b`))
    }
  }
})

test('docs/architecture.md says why each runtime dependency is there', () => {
  const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) {
    expect(text, name).toMatch(
      new RegExp(`^\\|.*\`(@opentelemetry/)?${name.replace('@opentelemetry/', '')}\`.*\\|.{10,}\\|$`, 'm'),
    )
  }
})

test('links between documents lead somewhere', () => {
  for (const document of DOCUMENTS) {
    const text = readFileSync(join(ROOT, document), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      const path = relative(ROOT, join(ROOT, document, '..', target))
      expect(() => readdirSync(join(ROOT, path, '..')), `${document}: ${target}`).not.toThrow()
      expect(readdirSync(join(ROOT, path, '..')), `${document}: ${target}`).toContain(
        path.split('/').filter(Boolean).at(-1),
      )
    }
  }
})

function readmeOf(kind: Kind, type: string): { readonly folder: string; readonly readme: string } {
  const folder = {
    receiver: 'receivers',
    processor: 'processors',
    exporter: 'exporters',
    connector: 'core/connectors',
    extension: 'core/extensions',
  }[kind]
  return { folder, readme: readFileSync(join(ROOT, folder, type, 'README.md'), 'utf8') }
}
