import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const FOLDER = process.env.TOCSIN_SHARED ?? join(ROOT, '..', 'shared')

/** Data that stands beside the repository on some machines: a path, or undefined where it is not. */
export function shared(path: string): string | undefined {
  const file = join(FOLDER, path)
  return existsSync(file) ? file : undefined
}

/** For the name of a test that reads it: says why it is skipped. */
export function sharedTitle(title: string, path: string): string {
  return shared(path) ? title : `${title} (skipped: ${path} is not in ../shared here)`
}
