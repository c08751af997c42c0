import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../support/shared.js'

test('the tarball carries what its documents link to', () => {
  const packed = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
    }),
  )
  const paths = new Set<string>(
    Object.values<{ files: { path: string }[] }>(packed)[0]?.files.map(({ path }) => path),
  )
  expect(paths.has('docs/contract.md')).toBe(true)
  const broken: string[] = []
  for (const document of [...paths].filter(path => path.endsWith('.md') && !path.includes('templates/'))) {
    const text = readFileSync(join(ROOT, document), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)) {
      const path = normalize(join(dirname(document), target)).replace(/\/$/, '')
      if (!paths.has(path) && ![...paths].some(each => each.startsWith(`${path}/`)))
        broken.push(`${document}: ${target}`)
    }
  }
  expect(broken).toEqual([])
})
