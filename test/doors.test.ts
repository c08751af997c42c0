import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnyFactory } from 'tocsin/component'
import { factoryConformance, httpDestination, runPipeline, sampleRecord } from 'tocsin/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from './support/shared.js'

const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: { [name: string]: string | { default: string } }
}
const TOOLS = readdirSync(join(ROOT, 'core/toolkit')).filter(name => `./${name}` in exports)

describe('examples', () => {
  let folder = ''
  beforeAll(() => {
    // Inside of the repository, so that they find `tocsin/...` as a package of ours does.
    mkdirSync(join(ROOT, 'data'), { recursive: true })
    folder = mkdtempSync(join(ROOT, 'data', 'examples-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const run = (name: string, code: string): Promise<{ components?: readonly AnyFactory[] }> => {
    const file = join(folder, `${name}.js`)
    writeFileSync(file, code)
    return import(pathToFileURL(file).href)
  }

  test('there is a README for each door of the toolbox', () => {
    expect(TOOLS).toEqual(['http', 'lines', 'notification', 'otlp', 'ottl', 'pattern', 'template'])
  })

  test.each(TOOLS)('the example of core/toolkit/%s runs', async tool => {
    const [[, code] = []] = blocks(`core/toolkit/${tool}/README.md`)
    expect(code).toContain(`'tocsin/${tool}'`)
    await run(tool, code as string)
  })

  const kinds = blocks('docs/contract.md')
  test.each(kinds.map(([, code, yaml]) => [/type: '(\w+)'/.exec(code)?.[1] as string, code, yaml] as const))(
    'docs/contract.md: %s passes its suite and runs in a pipeline',
    async (type, code, yaml) => {
      const { components = [] } = await run(type, code)
      for (const check of components.flatMap(factoryConformance)) await check.run()
      const http = await httpDestination()
      const record = sampleRecord({ body: 'x' })
      const { exported, report } = await runPipeline(yaml as string, {
        components,
        records: [record],
        env: { DESTINATION: http.url },
      })
      await http.close()
      const bodies: { [type: string]: unknown[] } = {
        texts: ['one', 'two'],
        shout: ['X'],
        greeting: ['hello'],
      }
      expect(exported.test?.map(({ body }) => body)).toEqual(bodies[type] ?? ['x'])
      expect(http.requests.map(({ body }) => body)).toEqual(type === 'pager' ? ['x'] : [])
      expect(report).toMatchObject({ dropped: 0, unsettled: 0 })
    },
  )

  test('docs/contract.md has an example of each kind', () => {
    const code = kinds.map(([, code]) => code).join('\n')
    for (const name of ['Receiver', 'Processor', 'Connector', 'Exporter', 'Extension'])
      expect(code).toContain(`define${name}(`)
    expect(code).toContain('step(')
  })
})

describe('what the doors export', () => {
  const doors = Object.entries(exports)
    .filter(([name]) => !['./package.json', './components'].includes(name))
    .map(([name, target]) => [name, source((target as { default: string }).default)] as const)

  test.each(doors)('%s: every declaration has a docstring', (_, file) => {
    const bare = exported(join(ROOT, file)).filter(({ documented }) => !documented)
    expect(bare.map(({ file, name }) => `${file.slice(ROOT.length)}: ${name}`)).toEqual([])
  })

  test('tocsin/component has some fifty runtime names', async () => {
    expect(Object.keys(await import('tocsin/component')).length).toBeLessThanOrEqual(52)
  })
})

/** Each JavaScript example of a document, with the YAML that follows it at once. */
function blocks(
  document: string,
): readonly (readonly [whole: string, code: string, yaml: string | undefined])[] {
  const text = readFileSync(join(ROOT, document), 'utf8')
  return [...text.matchAll(/```js\n([\s\S]*?)```(?:\n\n```yaml\n([\s\S]*?)```)?/g)].map(
    ([whole, code = '', yaml]) => [whole, code, yaml] as const,
  )
}

interface Declared {
  readonly file: string
  readonly name: string
  readonly documented: boolean
}

/** The declarations that a module exports, through whatever it re-exports. */
function exported(file: string): readonly Declared[] {
  const text = readFileSync(file, 'utf8')
  const own = [
    ...text.matchAll(
      /^export (?:declare )?(?:abstract )?(?:async )?(?:function|class|interface|type|const) (\w+)/gm,
    ),
  ].map(match => {
    const before = text.slice(0, match.index).trimEnd()
    return { file, name: match[1] as string, documented: before.endsWith('*/') }
  })
  const through = [...text.matchAll(/^export (?:type )?(\*|\{[^}]*\}) from '(\.[^']+)'/gm)].flatMap(
    ([, names = '', from = '']) => {
      const target = exported(join(dirname(file), from.replace(/js$/, 'ts')))
      if (names === '*') return target
      const wanted = names
        .replace(/[{}]/g, '')
        .split(',')
        .map(
          name =>
            name
              .trim()
              .replace(/^type /, '')
              .split(' as ')[0],
        )
      return target.filter(({ name }) => wanted.includes(name))
    },
  )
  return [...own, ...through]
}

function source(target: string): string {
  const file = target.replace('./dist/', '').replace(/js$/, 'ts')
  expect(existsSync(join(ROOT, file)), file).toBe(true)
  return file
}
