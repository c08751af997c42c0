import type { Kind } from '../component/index.js'
import { behaviours } from './scaffold-behaviours.js'

/** The files of a package with one component: file name to text. It passes its conformance suite as it is. */
export function scaffold(kind: Kind, name: string): ReadonlyMap<string, string> {
  const file = name.replaceAll('_', '-')
  const behaviour = behaviours[kind]
  const names: Names = { kind, type: name, file, create: camelCase(name), packageName: `tocsin-${file}` }
  return new Map([
    ['package.json', packageJson(names)],
    ['index.js', indexFile(names)],
    ['config.js', behaviour.config(names)],
    [`${file}.js`, behaviour.code(names)],
    [`${file}.test.js`, behaviour.test(names)],
    ['README.md', behaviour.readme(names)],
  ])
}

export interface Names {
  readonly kind: Kind
  readonly type: string
  readonly file: string
  readonly create: string
  readonly packageName: string
}

function packageJson({ kind, type, packageName, file }: Names): string {
  const content = {
    name: packageName,
    version: '0.1.0',
    description: `The ${type} ${kind} for Tocsin.`,
    type: 'module',
    main: 'index.js',
    files: ['index.js', 'config.js', `${file}.js`, 'README.md'],
    engines: { node: '>=20.19' },
    scripts: { test: 'node --test' },
    peerDependencies: { tocsin: '*' },
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

function indexFile({ kind, type, file, create }: Names): string {
  const define = `define${kind[0]?.toUpperCase()}${kind.slice(1)}`
  return `import { ${define} } from 'tocsin/component'
import { schema } from './config.js'
import { ${create} } from './${file}.js'

export const components = [
  ${define}({
    type: '${type}',
    stability: 'development',
    description: 'Says here in one sentence what the ${type} ${kind} does.',
    schema,
    create: ${create},
  }),
]
`
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}
