import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const ALL_FOLDERS = ['core', 'receivers', 'processors', 'exporters', 'distributions']
const COMPONENT_FOLDERS = ['receivers', 'processors', 'exporters', 'core/extensions', 'core/connectors']
const DOORS = doors()

describe('imports point one way', () => {
  const rows = layers()

  test('the table of docs/architecture.md names every folder', () => {
    expect(rows.size).toBeGreaterThan(15)
    for (const { file } of sources(ALL_FOLDERS)) {
      if (!file.endsWith('.test.ts')) expect(rowOf(file, rows), file).toBeDefined()
    }
    for (const row of rows.keys()) expect(existsSync(join(ROOT, row)), row).toBe(true)
  })

  test('each file imports only what its row of the table names', () => {
    const wrong: string[] = []
    for (const { file, imports } of sources(ALL_FOLDERS)) {
      if (file.endsWith('.test.ts')) continue
      const row = rowOf(file, rows) as string
      const allowed = rows.get(row) as readonly string[]
      for (const name of imports) {
        const target = DOORS[name] ?? (name.startsWith('.') ? resolved(file, name) : undefined)
        if (target === undefined || sameUnit(file, target, row)) continue
        const isAllowed = allowed.some(
          folder => folder === 'everything' || target === folder || target.startsWith(`${folder}/`),
        )
        if (!isAllowed) wrong.push(`${file} imports ${target}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('components come in by the doors, and import no file outside of their folder', () => {
    for (const { file, imports } of sources(COMPONENT_FOLDERS)) {
      const isTest = file.endsWith('.test.ts')
      for (const name of imports) {
        if (name.startsWith('.')) {
          const unit = component(file)
          expect(isTest || resolved(file, name).startsWith(`${unit}/`), `${file} imports ${name}`).toBe(true)
        } else if (isTest) expect(name, `${file} imports ${name}`).not.toBe('tocsin')
        else expect(['tocsin', 'tocsin/testing'], `${file} imports ${name}`).not.toContain(name)
      }
    }
  })

  test('the engine does not import its own published names', () => {
    for (const { file, imports } of sources(['core'])) {
      if (COMPONENT_FOLDERS.some(folder => file.startsWith(`${folder}/`)) || file.endsWith('.test.ts'))
        continue
      expect(
        imports.filter(name => /^(tocsin(\/|$)|#)/.test(name)),
        file,
      ).toEqual([])
    }
  })

  test('no file is part of a circle, types included', () => {
    const edges = new Map(
      sources(ALL_FOLDERS)
        .filter(({ file }) => !file.endsWith('.test.ts'))
        .map(({ file, imports }) => [
          file,
          imports.flatMap(name => DOORS[name] ?? (name.startsWith('.') ? resolved(file, name) : [])),
        ]),
    )
    expect(circleIn(edges)).toBeUndefined()
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

test('unit tests start no process: what does is called NAME.e2e.test.ts', () => {
  const starting = /\/(child|command|redis)\.js$|^node:child_process$/
  const wrong = sources([...ALL_FOLDERS, 'test'])
    .filter(({ file }) => file.endsWith('.test.ts') && !/\.(e2e|slow)\.test\.ts$/.test(file))
    .filter(({ file }) => !/^test\/(e2e|reliability|storage)\//.test(file))
    .filter(({ imports }) => imports.some(name => starting.test(name)))
  expect(wrong.map(({ file }) => file)).toEqual([])
})

test('time comes from the injected clock, randomness from the injected source', () => {
  const allowed = new Set([
    'core/service/clock.ts',
    'core/cli/run.ts',
    'core/cli/keep-alive.ts',
    'core/collector.ts',
    'core/telemetry/logger.ts',
    // The age of a file is measured on the clock of the file system.
    'core/extensions/file_storage/directory-lock.ts',
  ])
  for (const { file, text } of sources(['core', 'receivers', 'processors', 'exporters'])) {
    if (file.endsWith('.test.ts') || file.startsWith('core/testing/') || allowed.has(file)) continue
    // It runs in a browser, whose clock is all there is.
    if (file.startsWith('core/extensions/dashboard/page/')) continue
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

/** The published names and the private ones, as package.json maps them to sources. */
function doors(): { readonly [name: string]: string } {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const source = (path: string): string => path.replace('./dist/', '').replace(/\.js$/, '.ts')
  return Object.fromEntries([
    ...Object.entries<{ default: string }>(manifest.exports)
      .filter(([name]) => name !== './package.json')
      .map(([name, target]) => [name.replace('.', 'tocsin'), source(target.default)]),
    ...Object.entries<string>(manifest.imports).map(([name, target]) => [name, source(target)]),
  ])
}

/** The rows of the table in docs/architecture.md: folder -> what it may import. */
function layers(): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')
  const table = text.slice(text.indexOf('<!-- layers -->'), text.indexOf('<!-- /layers -->'))
  const rows = table.split('\n').filter(line => line.startsWith('| `'))
  return new Map(
    rows.flatMap(line => {
      const [, folders = '', , allowed = ''] = line.split(/(?<!\\)\|/).map(cell => cell.trim())
      const names = (cell: string): string[] =>
        [...cell.matchAll(/`([^`]+)`/g)].map(match => match[1] as string)
      const may = allowed.startsWith('everything in core')
        ? ['core']
        : allowed.startsWith('everything')
          ? ['everything']
          : names(allowed)
      return names(folders).map(folder => [folder, may] as const)
    }),
  )
}

function rowOf(file: string, rows: ReadonlyMap<string, unknown>): string | undefined {
  const fitting = [...rows.keys()].filter(row => file === row || file.startsWith(`${row}/`))
  return fitting.sort((a, b) => b.length - a.length)[0]
}

function resolved(file: string, name: string): string {
  return join(file, '..', name).replace(/\.js$/, '.ts')
}

/** A component's folder for a component, else the row. */
function sameUnit(file: string, target: string, row: string): boolean {
  const unit = component(file) ?? row
  return target === unit || target.startsWith(`${unit}/`)
}

function component(file: string): string | undefined {
  const own = COMPONENT_FOLDERS.find(folder => file.startsWith(`${folder}/`))
  return own && `${own}/${file.slice(own.length + 1).split('/')[0]}`
}

/** The files of a circle, or undefined. */
function circleIn(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): readonly string[] | undefined => {
    const at = path.indexOf(file)
    if (at >= 0) return [...path.slice(at), file]
    if (done.has(file)) return undefined
    for (const next of edges.get(file) ?? []) {
      const circle = visit(next, [...path, file])
      if (circle) return circle
    }
    done.add(file)
    return undefined
  }
  for (const file of edges.keys()) {
    const circle = visit(file, [])
    if (circle) return circle
  }
  return undefined
}
