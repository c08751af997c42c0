// Makes a release: checks, version, tag, tarball. See docs/releases.md. `--dry-run`: no commit and no tag; `--quick`: with
// it, no tests either.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [version, ...flags] = process.argv.slice(2)
const dry = flags.includes('--dry-run')
if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version ?? ''))
  fail('Say which version: node scripts/release.mjs 0.2.0 [--dry-run]')
if (git('status', '--porcelain') !== '')
  fail('There are uncommitted changes: a release is made of what is committed.')
if (git('tag', '--list', `v${version}`) !== '') fail(`The tag v${version} is there already.`)
const section = new RegExp(`^## ${version.replaceAll('.', '\\.')}\\b`, 'm')
if (!section.test(readFileSync('CHANGELOG.md', 'utf8'))) fail(`CHANGELOG.md has no section "## ${version}".`)

if (!(dry && flags.includes('--quick'))) {
  run('npm', 'ci')
  for (const script of ['test', 'test:slow', 'test:nodes']) run('npm', 'run', script)
}
const changed = ['package.json', 'package-lock.json']
const before = changed.map(file => readFileSync(file))
run('npm', 'version', version, '--no-git-tag-version', '--allow-same-version')
try {
  mkdirSync('release', { recursive: true })
  run('npm', 'pack', '--pack-destination', 'release')
  const name = `tocsin-${version}.tgz`
  const sum = createHash('sha256')
    .update(readFileSync(join('release', name)))
    .digest('hex')
  writeFileSync(join('release', `${name}.sha256`), `${sum}  ${name}\n`)
  // For editors: docs/editors.md.
  writeFileSync(
    join('release', `tocsin-${version}.schema.json`),
    execFileSync(process.execPath, ['dist/commands/tocsin.js', 'schema']),
  )
  console.log(`\nrelease/${name}\n${sum}`)
} finally {
  if (dry) for (const [index, file] of changed.entries()) writeFileSync(file, before[index])
}
if (!dry) {
  if (git('status', '--porcelain', ...changed) !== '')
    run('git', 'commit', '-m', `Version ${version}`, '--', ...changed)
  run('git', 'tag', '-a', `v${version}`, '-m', `Version ${version}`)
  console.log(`Tagged v${version}. Look at the tarball, then push the tag and publish it.`)
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8' }).trim()
}

function run(command, ...args) {
  console.log(`\n== ${[command, ...args].join(' ')}`)
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) fail(`${command} failed: nothing was released.`)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
