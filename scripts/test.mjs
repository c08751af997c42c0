// `npm test`: format, lint, types, build and tests, in this order; stops at the first that fails.
// `npm run test:unit` runs the tests that start no process, `npm run test:e2e` the others; `npm run test:slow` the long
// tests instead, `node scripts/test.mjs PATH` only some.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { installTools } from './tools.mjs'

const slow = process.argv.includes('--slow')
/** Only the tests that start no process, or only those that do. */
const project = ['unit', 'e2e'].find(name => process.argv.includes(`--${name}`))
const only = process.argv.slice(2).filter(argument => !argument.startsWith('--'))
const folder = mkdtempSync(join(tmpdir(), 'tocsin-test-'))

if (project !== 'unit') installTools()
if (!slow && !project && only.length === 0) {
  step('Format and lint', 'biome', 'ci', '--error-on-warnings', '.')
  step('Types', 'tsc', '-p', 'tsconfig.json')
  step('Types of the page', 'tsc', '-p', 'core/extensions/dashboard/page')
}
if (project !== 'unit') step('Build', 'node', 'scripts/build.mjs')
const report = join(folder, 'report.json')
const status = run(
  'vitest',
  'run',
  ...(slow ? ['--config', 'vitest.slow.config.ts'] : []),
  ...(project ? ['--project', project] : []),
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...only,
)
summarize(report)
rmSync(folder, { recursive: true, force: true })
process.exitCode = status

function step(title, ...command) {
  console.log(`\n== ${title}`)
  const code = run(...command)
  if (code !== 0) {
    console.error(`\n${title}: failed. Nothing after it was run.`)
    process.exit(code)
  }
}

function run(command, ...args) {
  const program = command === 'node' ? process.execPath : join('node_modules', '.bin', command)
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' })
  if (error) console.error(`${command} could not be started: ${error.message}. Run "npm ci" first.`)
  return status ?? 1
}

/** The files that take the longest, and one plain closing line, for people and for CI. */
function summarize(file) {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'))
    const { numPassedTests, numFailedTests, numPendingTests } = report
    const files = report.testResults.map(({ name, startTime, endTime }) => ({
      name: relative('.', name),
      seconds: (endTime - startTime) / 1_000,
    }))
    const longest = files.sort((a, b) => b.seconds - a.seconds).slice(0, 10)
    console.log(`\n${longest.map(({ name, seconds }) => `${seconds.toFixed(0)} s  ${name}`).join('\n')}`)
    console.log(`\n${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`)
  } catch {
    console.log('\n0 passed, 0 failed')
  }
}
