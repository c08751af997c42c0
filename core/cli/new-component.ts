import { mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { type Kind, PermanentError } from '../component/index.js'
import { withArticle } from '../config/catalog.js'
import type { Distribution } from './distribution.js'
import { type CommandIo, print } from './io.js'

/** What `tocsin new` was told besides kind and name. */
export interface NewOptions {
  readonly typescript?: boolean
  readonly javascript?: boolean
  /** Of a processor: with state for each key. */
  readonly keyed?: boolean
}

// The templates are kept as they are written: from the source and from dist alike.
const require = createRequire(import.meta.url)
const MANIFEST = require.resolve('tocsin/package.json')
const TEMPLATES = join(dirname(MANIFEST), 'core/cli/templates')
const KINDS: readonly string[] = ['receiver', 'processor', 'exporter', 'connector', 'extension']

// They would be the name of a function, or of what is imported or a file already.
const TAKEN =
  /^(index|config|package|schema|components|resolve|to_text|read_file|write_file|create_record|duration_ms|error_text|define_\w+|arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)$/

/**
 * Writes a package for one component into a new folder; it passes its conformance suite, and asks for the
 * distribution's version of Tocsin as its peer. While it is written it uses the Tocsin that made it, from its folder,
 * so that nothing has to be on a registry. Touches nothing that exists.
 */
export async function newComponent(
  { components, version, folder: tocsin }: Distribution,
  kind: string,
  type: string,
  options: NewOptions,
  io: CommandIo,
): Promise<number> {
  if (!KINDS.includes(kind)) {
    throw new PermanentError('unknown_kind', `"${kind}" is no kind of component: use ${KINDS.join(', ')}.`)
  }
  if (options.keyed && kind !== 'processor') {
    throw new PermanentError(
      'bad_option',
      `Only a processor can be --keyed, and this is ${withArticle(kind as Kind)}.`,
    )
  }
  if (options.typescript && options.javascript) {
    throw new PermanentError('bad_option', 'Say --typescript or --javascript, not both.')
  }
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(type)) {
    throw new PermanentError('bad_name', `"${type}" cannot be a type: use snake_case, such as my_${kind}.`)
  }
  if (TAKEN.test(type)) {
    throw new PermanentError(
      'bad_name',
      `"${type}" cannot be a type here, as it is a word of JavaScript or a name that the package uses itself: choose another one, such as my_${type}.`,
    )
  }
  if (components.some(each => each.kind === kind && [each.type, ...(each.aliases ?? [])].includes(type))) {
    throw new PermanentError(
      'bad_name',
      `There is ${withArticle(kind as Kind)} ${type} already: choose another name.`,
    )
  }
  const dashed = type.replaceAll('_', '-')
  const folder = join(io.cwd, `tocsin-${dashed}`)
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0)
    throw new PermanentError('folder_not_empty', `${folder} is not empty.`)
  const typescript = options.typescript ?? (!options.javascript && (await wantsTypescript(io)))

  const name = kind[0]?.toUpperCase() + kind.slice(1)
  const fill = (text: string): string =>
    text
      .replaceAll(`my_${kind}`, type)
      .replaceAll(`my-${kind}`, dashed)
      .replaceAll(`my${name}`, camelCase(type))
  const written = new Map<string, string>()
  const template = join(TEMPLATES, options.keyed ? 'keyed' : kind)
  for (const file of await readdir(template)) {
    // The behaviour is there in both languages.
    if (file === `my-${kind}.${typescript ? 'js' : 'ts.txt'}`) continue
    const text = fill(await readFile(join(template, file), 'utf8'))
    written.set(
      fill(typescript ? file.replace(/(?:js|ts\.txt)$/, 'ts') : file),
      typescript ? typed(text) : text,
    )
  }
  const from = relative(await realpath(folder), await realpath(tocsin)).replaceAll('\\', '/')
  const manifest = manifestOf({ kind, type, dashed, version, tocsin: `file:${from}`, typescript })
  written.set('package.json', `${JSON.stringify(manifest, null, 2)}\n`)
  if (typescript) written.set('tsconfig.json', TSCONFIG)
  for (const [file, text] of written) await writeFile(join(folder, file), text)

  const shown = [...written.keys()].sort().map(file => `  ${file}\n`)
  await print(
    io,
    `${folder}\n${shown.join('')}\n` +
      `Next: cd ${inShell(folder)} && npm install && npm test\nIts README says what holds for ${withArticle(kind as Kind)}, and how to use it in a configuration.\n`,
  )
  return 0
}

/** Asks on a terminal; elsewhere it is JavaScript. */
async function wantsTypescript({ stdin, stdout }: CommandIo): Promise<boolean> {
  if (!stdout.isTTY || !stdin?.isTTY) return false
  const asking = createInterface({ input: stdin, output: stdout })
  try {
    return /^y(es)?$/i.test((await asking.question('In TypeScript? [y/N] ')).trim())
  } finally {
    asking.close()
  }
}

/** The templates' types in comments, where they are the same for all kinds, as TypeScript. */
function typed(text: string): string {
  // Imports go on naming what is compiled.
  const prose = text.replace(/(`index|\/\/ [\w-]+)\.js(?=` says| is what)/g, '$1.ts')
  return prose.replace(
    /\/\*\* @type \{import\(('tocsin\/component')\)\.ConfigSchema\} \*\/\nexport const schema =/,
    'import type { ConfigSchema } from $1\n\nexport const schema: ConfigSchema =',
  )
}

const TSCONFIG = `{
  "compilerOptions": {
    "target": "es2023",
    "module": "nodenext",
    "strict": true,
    "declaration": true,
    "skipLibCheck": true,
    "types": ["node"],
    "outDir": "dist"
  },
  "include": ["*.ts"]
}
`

interface Made {
  readonly kind: string
  readonly type: string
  readonly dashed: string
  readonly version: string
  /** Where npm finds Tocsin while the package is written. */
  readonly tocsin: string
  readonly typescript: boolean
}

function manifestOf({ kind, type, dashed, version, tocsin, typescript }: Made): object {
  const { devDependencies: ours } = require(MANIFEST) as { devDependencies: { [name: string]: string } }
  return {
    name: `tocsin-${dashed}`,
    version: '0.1.0',
    description: `The ${type} ${kind} for Tocsin.`,
    type: 'module',
    exports: typescript ? './dist/index.js' : './index.js',
    files: typescript ? ['dist', '!dist/*.test.*'] : ['index.js', 'config.js', `${dashed}.js`],
    engines: { node: '>=20.19' },
    keywords: ['tocsin'],
    scripts: typescript
      ? { build: 'tsc', test: `tsc && node --test dist/${dashed}.test.js`, prepack: 'tsc' }
      : { test: 'node --test' },
    peerDependencies: { tocsin: `^${version}` },
    devDependencies: {
      ...(typescript && { '@types/node': ours['@types/node'] }),
      tocsin,
      ...(typescript && { typescript: ours.typescript }),
    },
  }
}

/** As one word of a shell. */
function inShell(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}

function camelCase(type: string): string {
  return type.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}
