import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const COMPONENT_FOLDERS = ['receivers', 'processors', 'exporters', 'core/extensions', 'core/connectors']

describe('imports point one way', () => {
  test('components import only tocsin/component, packages, and files of their own folder', () => {
    for (const { file, imports } of sources(COMPONENT_FOLDERS)) {
      const isTest = file.endsWith('.test.ts')
      for (const name of imports) {
        if (name.startsWith('.'))
          expect(outside(file, name), `${file} imports ${name}`).toBe(isTest && outside(file, name))
        else if (isTest) expect(name, `${file} imports ${name}`).not.toBe('tocsin')
        else expect(['tocsin', 'tocsin/testing'], `${file} imports ${name}`).not.toContain(name)
      }
    }
  })

  test('the engine knows no concrete component', () => {
    for (const { file, imports } of sources(['core'])) {
      if (COMPONENT_FOLDERS.some(folder => file.startsWith(`${folder}/`))) continue
      for (const name of imports) {
        expect(name, `${file} imports ${name}`).not.toMatch(
          /(^|\/)(receivers|processors|exporters|distributions)\//,
        )
        if (!file.endsWith('.test.ts'))
          expect(name, `${file} imports ${name}`).not.toMatch(/\/(extensions|connectors)\//)
      }
    }
  })

  test('the engine does not import its own published names', () => {
    for (const { file, imports } of sources(['core'])) {
      if (COMPONENT_FOLDERS.some(folder => file.startsWith(`${folder}/`)) || file.endsWith('.test.ts'))
        continue
      expect(
        imports.filter(name => /^tocsin(\/|$)/.test(name)),
        file,
      ).toEqual([])
    }
  })
})

describe('every component folder has the same shape', () => {
  for (const folder of COMPONENT_FOLDERS.flatMap(parent => folders(parent))) {
    test(folder, () => {
      const files = readdirSync(join(ROOT, folder))
      expect(files).toEqual(expect.arrayContaining(['index.ts', 'config.ts', 'README.md']))
      expect(readFileSync(join(ROOT, folder, 'README.md'), 'utf8')).toContain('```yaml')
      // index.ts exports the factory and computes nothing.
      expect(readFileSync(join(ROOT, folder, 'index.ts'), 'utf8')).toMatch(/^export const \w+ = define\w+/m)
    })
  }
})

test('time comes from the injected clock, randomness from the injected source', () => {
  const allowed = new Set([
    'core/service/clock.ts',
    'core/cli/run.ts',
    'core/telemetry/logger.ts',
    // The age of a file is measured on the clock of the file system.
    'core/extensions/file_storage/directory-lock.ts',
  ])
  for (const { file, text } of sources(['core', 'receivers', 'processors', 'exporters'])) {
    if (file.endsWith('.test.ts') || file.startsWith('core/testing/') || allowed.has(file)) continue
    expect(text, file).not.toMatch(/\bDate\.now\(|\bMath\.random\b|\bsetInterval\(|\bsetTimeout\(/)
  }
})

interface Source {
  readonly file: string
  readonly text: string
  readonly imports: readonly string[]
}

function sources(parents: readonly string[]): readonly Source[] {
  return parents.flatMap(parent =>
    readdirSync(join(ROOT, parent), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts'))
      .map(name => {
        const text = readFileSync(join(ROOT, parent, name), 'utf8')
        const imports = [...text.matchAll(/(?:from|import)\s*\(?['"]([^'"]+)['"]/g)].map(
          match => match[1] as string,
        )
        return { file: `${parent}/${name}`, text, imports }
      }),
  )
}

function folders(parent: string): readonly string[] {
  return readdirSync(join(ROOT, parent), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => `${parent}/${entry.name}`)
}

/** Whether a relative import leaves the component's folder. */
function outside(file: string, name: string): boolean {
  const own = COMPONENT_FOLDERS.find(folder => file.startsWith(`${folder}/`)) as string
  const component = file.slice(own.length + 1).split('/')[0] as string
  return relative(join(own, component), join(file, '..', name)).startsWith('..')
}
