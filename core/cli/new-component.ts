import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Kind, PermanentError } from '../component/index.js'
import { withArticle } from '../config/catalog.js'
import type { Distribution } from './distribution.js'
import { type CommandIo, print } from './io.js'

// The templates are working packages, kept as they are: from the source and from dist alike.
const TEMPLATES = join(
  dirname(createRequire(import.meta.url).resolve('tocsin/package.json')),
  'core/cli/templates',
)

// They would be the name of a function, or of a file that is there already.
const TAKEN =
  /^(index|config|package|arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)$/

/**
 * Writes a package for one component into a new folder; it passes its conformance suite, and asks for the
 * distribution's version of Tocsin as its peer. Touches nothing that exists.
 */
export async function newComponent(
  { components, version }: Distribution,
  kind: string,
  type: string,
  io: CommandIo,
): Promise<number> {
  const kinds = await readdir(TEMPLATES)
  if (!kinds.includes(kind)) {
    throw new PermanentError('unknown_kind', `"${kind}" is no kind of component: use ${kinds.join(', ')}.`)
  }
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(type) || TAKEN.test(type)) {
    throw new PermanentError('bad_name', `"${type}" cannot be a type: use snake_case, such as my_${kind}.`)
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

  const name = kind[0]?.toUpperCase() + kind.slice(1)
  const fill = (text: string): string =>
    text
      .replaceAll(`my_${kind}`, type)
      .replaceAll(`my-${kind}`, dashed)
      .replaceAll(`my${name}`, camelCase(type))
      .replaceAll('TOCSIN_VERSION', version)
  const files = await readdir(join(TEMPLATES, kind))
  for (const file of files) {
    await writeFile(join(folder, fill(file)), fill(await readFile(join(TEMPLATES, kind, file), 'utf8')))
  }
  await print(
    io,
    `${folder}\n${files.map(file => `  ${fill(file)}\n`).join('')}\n` +
      `Next: cd ${folder}, npm install, npm test. Its README says how to use it in a configuration.\n`,
  )
  return 0
}

function camelCase(type: string): string {
  return type.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}
