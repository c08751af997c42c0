import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Kind, PermanentError } from '../component/index.js'
import type { CommandIo } from './io.js'
import { scaffold } from './scaffold.js'

const KINDS: readonly Kind[] = ['receiver', 'processor', 'exporter', 'connector', 'extension']

/** Writes a package for one component into a new folder. Touches nothing that exists. */
export async function newComponent(kind: string, name: string, io: CommandIo): Promise<number> {
  const known = KINDS.find(each => each === kind)
  if (!known)
    throw new PermanentError('unknown_kind', `"${kind}" is no kind of component: use ${KINDS.join(', ')}.`)
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name)) {
    throw new PermanentError('bad_name', `"${name}" cannot be a type: use snake_case, such as my_${kind}.`)
  }
  const folder = join(io.cwd, `tocsin-${name.replaceAll('_', '-')}`)
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0)
    throw new PermanentError('folder_not_empty', `${folder} is not empty.`)
  const files = scaffold(known, name)
  for (const [file, text] of files) await writeFile(join(folder, file), text)
  io.stdout.write(
    `${folder}\n${[...files.keys()].map(file => `  ${file}\n`).join('')}\n` +
      `Next: cd ${folder}, npm install, npm test. Its README says how to use it in a configuration.\n`,
  )
  return 0
}
