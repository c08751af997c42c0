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
const title = readFileSync('CHANGELOG.md', 'utf8')
  .split('\n')
  .find(line => line === `## ${version}` || line.startsWith(`## ${version} `))
if (!title) fail(`CHANGELOG.md has no section "## ${version}".`)
if (!dry && /not released/i.test(title))
  fail(`CHANGELOG.md says "${title}": write the day in place of that, and commit it.`)

if (!(dry && flags.includes('--quick'))) {
  run('npm', 'ci')
  for (const script of ['test', 'test:slow', 'test:nodes']) run('npm', 'run', script)
}
const changed = ['package.json', 'package-lock.json']
const before = changed.map(file => readFileSync(file))
let committed = false
// Also where `fail` ends the process.
process.on('exit', () => {
  if (!committed) for (const [index, file] of changed.entries()) writeFileSync(file, before[index])
})
run('npm', 'version', version, '--no-git-tag-version', '--allow-same-version')
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
if (!dry) {
  if (git('status', '--porcelain', ...changed) !== '')
    run('git', 'commit', '-m', `Version ${version}`, '--', ...changed)
  committed = true
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
