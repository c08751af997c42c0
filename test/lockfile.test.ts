import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './support/shared.js'

interface Lock {
  readonly packages: {
    readonly [path: string]: { readonly optionalDependencies?: { readonly [name: string]: string } }
  }
}

const text = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')

test('the lock file has every optional package, of other platforms too (node scripts/complete-lockfile.mjs)', () => {
  const { packages } = JSON.parse(text) as Lock
  const missing = Object.entries(packages).flatMap(([parent, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      name => !packages[`node_modules/${name}`] && !packages[`${parent}/node_modules/${name}`],
    ),
  )
  expect(missing).toEqual([])
})

test('the lock file names no download host', () => {
  expect(text).not.toContain('"resolved"')
})
