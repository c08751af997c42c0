import { readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PermanentError } from '../component/index.js'

export class PackageNotFound extends PermanentError {
  constructor(specifier: string, folder: string) {
    super('package_not_found', `The package "${specifier}" is not installed for ${folder}.`)
  }
}

/** Imports a package, or a file by relative path, as a module in `folder` would. */
export async function importFrom(specifier: string, folder: string): Promise<unknown> {
  return import(pathToFileURL(await resolveFrom(specifier, folder)).href)
}

/**
 * The file that `import` of a package means. `require.resolve` does not see packages that only say `import` in
 * their exports, and takes the CommonJS half of those that have both; so the exports are read here first.
 */
export async function resolveFrom(specifier: string, folder: string): Promise<string> {
  let root: string | undefined
  const [, name, subpath = ''] = /^((?:@[^/]+\/)?[^/.@][^/]*)(\/.*)?$/.exec(specifier) ?? []
  if (name !== undefined) {
    root = await packageRoot(name, folder)
    if (root === undefined) throw new PackageNotFound(specifier, folder)
    const target = exported((await manifest(root)).exports, `.${subpath}`)
    if (target !== undefined) {
      const file = join(root, target)
      if (await isFile(file)) return file
      throw new PermanentError(
        'package_not_built',
        `its package.json names ${target}, which is not there: was it built?`,
      )
    }
  }
  try {
    return createRequire(join(folder, 'noop.js')).resolve(specifier)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    if (root === undefined) throw new PackageNotFound(specifier, folder)
    const what =
      subpath === '' ? 'its package.json names no file that is there' : `it has no ${subpath.slice(1)}`
    throw new PermanentError('package_without_file', what)
  }
}

async function packageRoot(name: string, folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const root = join(at, 'node_modules', name)
    if (await isFile(join(root, 'package.json'))) return root
    if (dirname(at) === at) return undefined
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false
}

async function manifest(root: string): Promise<{ exports?: unknown }> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { exports?: unknown }
}

/** The target of an exact entry of `exports`; patterns are left to Node. */
function exported(exports: unknown, subpath: string): string | undefined {
  if (typeof exports === 'string' || Array.isArray(exports))
    return subpath === '.' ? target(exports) : undefined
  if (typeof exports !== 'object' || exports === null) return undefined
  const table = exports as { readonly [key: string]: unknown }
  const bySubpath = Object.keys(table).some(key => key.startsWith('.'))
  return bySubpath ? target(table[subpath]) : subpath === '.' ? target(table) : undefined
}

function target(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(target).find(found => found !== undefined)
  if (typeof value !== 'object' || value === null) return undefined
  for (const [condition, next] of Object.entries(value)) {
    const found = ['node', 'import', 'default', 'module-sync'].includes(condition) ? target(next) : undefined
    if (found !== undefined) return found
  }
  return undefined
}
