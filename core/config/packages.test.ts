import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AROUND, load, problemsOf } from '../../test/fixtures/config-loading.js'
import { processEnvironment } from './environment.js'

const factory = (type: string, extra = '') =>
  `{ kind: 'processor', api: 1, type: '${type}', stability: 'beta', description: 'A test.', schema: { type: 'object', properties: {} }, create() {}, ${extra} }`

let folder: string

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}

async function install(name: string, manifest: object, files: { [path: string]: string }): Promise<void> {
  await write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', ...manifest }))
  for (const [path, text] of Object.entries(files)) await write(`node_modules/${name}/${path}`, text)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-packages-'))
  await install(
    '@acme/esm-only',
    {
      type: 'module',
      exports: { '.': { types: './x.d.ts', import: './x.js' }, './sub': { import: './sub.js' } },
    },
    {
      'x.js': `export const components = [${factory('acme_esm')}]`,
      'sub.js': `export const components = [${factory('acme_sub')}]`,
    },
  )
  await install(
    'cjs-thing',
    { main: './lib/x.js' },
    { 'lib/x.js': `exports.components = [${factory('acme_cjs')}]` },
  )
  await install(
    'both',
    { exports: { require: './x.cjs', import: './x.mjs' } },
    {
      'x.cjs': 'throw new Error("the CommonJS half")',
      'x.mjs': `export const components = [${factory('acme_both')}]`,
    },
  )
  await install('no-components', { main: 'x.js' }, { 'x.js': 'exports.other = 1' })
  await install('fails', { main: 'x.js' }, { 'x.js': 'throw new Error("it is broken")' })
  await install('malformed', { main: 'x.js' }, { 'x.js': 'exports.components = [{ kind: "procesor" }, 5]' })
  await install(
    'careless',
    { main: 'x.js' },
    {
      'x.js': `exports.components = [${[
        '{ api: 1 }',
        factory('a', 'stability: undefined'),
        factory('a', 'description: undefined'),
        factory('a', 'aliases: "b"'),
        factory('a', 'schema: []'),
        factory('a', 'schema: { type: "string" }'),
        factory('a'),
        factory('a'),
      ]}]`,
    },
  )
  await install('no-main', {}, {})
  await install('not-built', { exports: './dist/x.js' }, {})
  await install(
    'lax',
    { main: 'x.js' },
    { 'x.js': `exports.components = [${factory('lax', 'check: () => ["no"]')}]` },
  )
  await install('taken', { main: 'x.js' }, { 'x.js': `exports.components = [${factory('throttle')}]` })
  await write('old.mjs', `export const components = [${factory('acme_old', 'api: undefined')}]`)
  await write('new.mjs', `export const components = [${factory('acme_new', 'api: 2')}]`)
  await write('text.mjs', `export const components = [${factory('acme_text', 'api: "1"')}]`)
  // The words of Node, which here would find ours.
  await write('alone.mjs', `throw new Error("Cannot find package 'tocsin' imported from alone.mjs")`)
  await write(
    'odd.mjs',
    `export const components = [${factory('odd', 'schema: { properties: { a: "text" } }')}]`,
  )
  await write('local.mjs', `export const components = [${factory('acme_local')}]`)
})
afterAll(() => rm(folder, { recursive: true }))

async function using(types: readonly string[], ...packages: string[]) {
  const processors = types.map(type => `${type}: `).join(', ')
  const around = AROUND.replace('[throttle]', `[${types.join(', ')}]`)
  await write('tocsin.yaml', `packages: ${JSON.stringify(packages)}\n${around}processors: {${processors}}\n`)
  return { ...processEnvironment(), cwd: folder }
}

describe('packages', () => {
  it('bring components: ES modules, CommonJS, both, subpaths and files', async () => {
    const types = ['acme_esm', 'acme_sub', 'acme_cjs', 'acme_both', 'acme_local']
    const environment = await using(
      types,
      '@acme/esm-only',
      '@acme/esm-only/sub',
      'cjs-thing',
      'both',
      './local.mjs',
    )
    const { config, factories } = await load(['tocsin.yaml'], environment)
    expect(Object.keys(config.processors)).toEqual(types)
    expect([...factories.keys()]).toEqual(expect.arrayContaining(types.map(type => `processor/${type}`)))
  })

  it('that do not work are explained', async () => {
    const environment = await using(
      [],
      '@acme/none',
      'no-components',
      'fails',
      'malformed',
      'taken',
      './no.js',
      './old.mjs',
      './new.mjs',
      './text.mjs',
      './alone.mjs',
    )
    const problems = await problemsOf(load(['tocsin.yaml'], environment))
    expect(problems.map(problem => problem.replaceAll(folder, 'FOLDER'))).toEqual([
      'tocsin.yaml:1:12: packages[0]: the package "@acme/none" is not installed for FOLDER (run "npm install @acme/none" in that folder)',
      'tocsin.yaml:1:25: packages[1]: the package "no-components" has no export "components" with a list of factories (is it a tocsin package?)',
      'tocsin.yaml:1:41: packages[2]: the package "fails" could not be loaded: it is broken (see its documentation, or report this to its author)',
      'tocsin.yaml:1:49: packages[3]: component 0 of the package "malformed" has the kind "procesor", not one of receiver, processor, exporter, connector, extension (report this to its author)',
      'tocsin.yaml:1:49: packages[3]: component 1 of the package "malformed" is not a factory (report this to its author)',
      'tocsin.yaml:1:61: packages[4]: the package "taken" brings a processor type "throttle", which tocsin has already (remove one of the two packages)',
      'tocsin.yaml:1:69: packages[5]: there is no module "./no.js" in FOLDER (check the path: it starts at that folder)',
      'tocsin.yaml:1:79: packages[6]: the package "./old.mjs" is written against no version of the component contract, and this Tocsin has version 1 (install a newer version of the package: docs/contract.md tells its author what changed)',
      'tocsin.yaml:1:91: packages[7]: the package "./new.mjs" is written against version 2 of the component contract, and this Tocsin has version 1 (install a newer tocsin)',
      'tocsin.yaml:1:103: packages[8]: the package "./text.mjs" is written against version "1" of the component contract, and this Tocsin has version 1 (its author writes the number: api: 1)',
      expect.stringMatching(
        /packages\[9\]: .*could not be loaded: Cannot find package 'tocsin'.*\(run "npm install" with tocsin in the folder of the package: Tocsin is its peer dependency\)$/,
      ),
    ])
  })

  it('that break the contract are told what of it, and of what they should have brought no more is said', async () => {
    const environment = await using(
      ['of_it', 'throtle', 'odd'],
      'careless',
      'not-built',
      'no-main',
      'no-main/sub',
      './odd.mjs',
    )
    const problems = await problemsOf(load(['tocsin.yaml'], environment))
    const component = (n: number, what: string) =>
      `tocsin.yaml:1:12: packages[0]: component ${n} of the package "careless" ${what} (report this to its author)`
    expect(problems).toEqual([
      component(
        0,
        'has no kind, which defineReceiver(), defineExporter() and the like of tocsin/component give it',
      ),
      component(1, '("a") has no stability'),
      component(2, '("a") has no description'),
      component(3, '("a") has "aliases" that are no list of types'),
      component(4, '("a") has no schema'),
      component(5, '("a") has a schema of the type "string": that of a configuration is "object"'),
      'tocsin.yaml:1:12: packages[0]: the package "careless" brings a processor type "a", which the package "careless" has already (report this to its author)',
      'tocsin.yaml:1:23: packages[1]: the package "not-built" could not be loaded: its package.json names ./dist/x.js, which is not there: was it built? (see its documentation, or report this to its author)',
      'tocsin.yaml:1:35: packages[2]: the package "no-main" could not be loaded: its package.json names no file that is there (see its documentation, or report this to its author)',
      'tocsin.yaml:1:45: packages[3]: the package "no-main/sub" could not be loaded: it has no sub (see its documentation, or report this to its author)',
      expect.stringContaining('unknown processor type "throtle" (did you mean "throttle"?'),
      expect.stringContaining(
        `processors.odd: the schema of a processor of type "odd" is broken: schema.properties.a is 'text', and no schema`,
      ),
    ])
  })

  it('whose check answers no problems are named', async () => {
    const problems = await problemsOf(load(['tocsin.yaml'], await using(['lax'], 'lax')))
    expect(problems).toEqual([
      expect.stringMatching(
        /processors\.lax: checking this configuration failed: check\(\) answered \[ 'no' \]; it must answer a list of \{ path, message, fix \}/,
      ),
    ])
  })
})
