// `npm run bench`: the cases that docs/performance.md shows, side by side with their ceilings and peers; it writes the tables there.
//   -- --case NAME   only this one (also those that have no table: pattern, start, state, rotation, ...); writes nothing of the page
//   -- --check       fails when a ratio is by a third worse than in test/bench/baseline.json
//   -- --baseline    writes that file
//   -- --before FILE the program (tocsin.js or bin.js) of a build of another commit, measured beside this one
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { tableOf } from '../test/bench/support/measure.mjs'

const TABLES = ['file', 'tail', 'otlp', 'storm', 'webhook', 'loop']
const PAGE = 'docs/performance.md'
const BASELINE = 'test/bench/baseline.json'
/** Throughput that falls by a third is a cost of one and a half. */
const WORSE = 1.5
/** A case that takes longer hangs, or the machine does: it is ended with all that it started, and the others go on. */
const LONGEST_S = 240 + 60 * Number(process.env.TOCSIN_BENCH_MINUTES ?? 0)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    case: { type: 'string', multiple: true, default: [] },
    check: { type: 'boolean', default: false },
    baseline: { type: 'boolean', default: false },
    before: { type: 'string' },
  },
})
const asked = [...values.case, ...positionals]
const all = readdirSync('test/bench').filter(name => /\.bench\.(mjs|ts)$/.test(name))
const names = all.map(name => name.replace(/\.bench\..*/, ''))
const chosen = asked.length > 0 ? new Set(asked.flatMap(casesOf)) : new Set(TABLES)
const unknown = asked.find(word => casesOf(word).length === 0)
if (unknown !== undefined) {
  console.error(`There is no case ${unknown}: they are ${names.join(', ')}.`)
  process.exit(2)
}
if (values.check && !existsSync(BASELINE)) {
  console.error(`There is no ${BASELINE} to compare with: -- --baseline writes it.`)
  process.exit(2)
}
if (values.before && !existsSync(values.before)) {
  console.error(
    `There is no ${values.before}: --before names a built program, as dist/commands/tocsin.js is one.`,
  )
  process.exit(2)
}
if (!existsSync('dist/commands/tocsin.js')) {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}

const out = resolve('dist/bench', String(process.pid))
mkdirSync(out, { recursive: true })
const took = []
for (const [at, name] of names.entries()) {
  if (!chosen.has(name)) continue
  console.log(`\n== ${name}\n`)
  const file = all[at]
  const program = file.endsWith('.ts') ? await bundle(file) : resolve('test/bench', file)
  const began = performance.now()
  const failed = await measured(program, {
    TOCSIN_BENCH_OUT: out,
    ...(values.before && { TOCSIN_BENCH_BEFORE: resolve(values.before) }),
  })
  took.push(`${name} ${Math.round((performance.now() - began) / 1_000)} s`)
  if (!failed) continue
  console.error(`\n${name} ${failed}: its table stays as it was.`)
  process.exitCode = 1
}
console.log(`\n${took.join(', ')}.`)
const results = TABLES.flatMap(name => {
  const path = resolve(out, `${name}.json`)
  return existsSync(path) ? [JSON.parse(readFileSync(path, 'utf8'))] : []
})
rmSync(out, { recursive: true, force: true })
const ratios = Object.fromEntries(
  results.flatMap(({ name, rows }) =>
    rows.flatMap(row =>
      row.ratio === undefined ? [] : [[`${name}: ${row.name}`, Number(row.ratio.toFixed(2))]],
    ),
  ),
)
if (asked.length === 0 && !values.check) writePage()
if (values.baseline) {
  const known = existsSync(BASELINE) ? JSON.parse(readFileSync(BASELINE, 'utf8')) : {}
  writeFileSync(BASELINE, `${JSON.stringify({ ...known, ...ratios }, undefined, 2)}\n`)
}
if (values.check) check(JSON.parse(readFileSync(BASELINE, 'utf8')))

/** The case of this name, or those with it in theirs. */
function casesOf(word) {
  return names.includes(word) ? [word] : names.filter(name => name.includes(word))
}

/** Undefined when it ended well, else what happened. */
async function measured(program, env) {
  // A group of its own, so that what it started ends with it.
  const child = spawn(process.execPath, ['--expose-gc', program], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
    detached: true,
  })
  const end = () => process.kill(-child.pid, 'SIGKILL')
  let late = false
  const timer = setTimeout(() => {
    late = true
    end()
  }, LONGEST_S * 1_000)
  const interrupted = () => {
    end()
    process.exit(130)
  }
  process.once('SIGINT', interrupted)
  const [status, signal] = await new Promise(done => child.once('exit', (...how) => done(how)))
  clearTimeout(timer)
  process.off('SIGINT', interrupted)
  if (late) return `did not end within ${LONGEST_S} s`
  return status === 0 ? undefined : `ended with ${signal ?? status}`
}

function writePage() {
  let page = readFileSync(PAGE, 'utf8')
  for (const result of results) {
    const place = new RegExp(`(<!-- bench ${result.name} -->\n)[\\s\\S]*?(<!-- /bench -->)`)
    page = page.replace(place, (_, start, end) => `${start}${tableOf(result)}\n${end}`)
  }
  const missed = results.flatMap(({ name, rows }) =>
    rows
      .filter(({ atMost, ratio, own }) => atMost !== undefined && (ratio ?? own) > atMost)
      .map(row => `- ${name}, ${row.name}: ${(row.ratio ?? row.own).toFixed(2)} instead of ${row.atMost}`),
  )
  const list = missed.length > 0 ? missed.join('\n') : 'None.'
  page = page.replace(
    /(<!-- missed -->\n)[\s\S]*?(<!-- \/missed -->)/,
    (_, start, end) => `${start}${list}\n${end}`,
  )
  writeFileSync(PAGE, page)
  console.log(`\nThe tables of ${PAGE} are written.`)
}

function check(baseline) {
  const worse = Object.entries(ratios).filter(([name, ratio]) => ratio > (baseline[name] ?? Infinity) * WORSE)
  for (const [name, ratio] of worse) console.error(`${name}: ${ratio}, and ${baseline[name]} in ${BASELINE}`)
  const known = Object.keys(ratios).filter(name => name in baseline).length
  console.log(`\n${known} ratios compared with ${BASELINE}, ${worse.length} by a third worse.`)
  const missing = Object.keys(baseline).filter(name => !(name in ratios) && chosen.has(name.split(':', 1)[0]))
  if (missing.length > 0) console.log(`Not measured now: ${missing.join('; ')}.`)
  if (worse.length > 0 || known === 0) process.exitCode = 1
}

/** A benchmark in TypeScript measures parts that the package does not publish. */
async function bundle(name) {
  const outfile = resolve(out, `${basename(name, '.ts')}.js`)
  await build({
    entryPoints: [resolve('test/bench', name)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // Our own names come from the sources, as tsconfig.json has them.
    packages: 'bundle',
    external: Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).dependencies),
    logLevel: 'warning',
  })
  return outfile
}
