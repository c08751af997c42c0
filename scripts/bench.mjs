// `npm run bench`: the cases that docs/performance.md shows, side by side with their ceilings and peers; it writes the tables there.
//   -- --case NAME   only this one (also those that have no table: pattern, start, state, rotation, ...); writes nothing
//   -- --check       fails when a ratio is by a third worse than in test/bench/baseline.json
//   -- --baseline    writes that file
//   -- --before FILE the program (tocsin.js or bin.js) of a build of another commit, measured beside this one
import { spawnSync } from 'node:child_process'
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
const unknown = asked.find(word => !names.some(name => name.includes(word)))
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
if (!existsSync('dist/commands/tocsin.js')) run('scripts/build.mjs', [])

const out = resolve('dist/bench')
mkdirSync(out, { recursive: true })
for (const [at, name] of names.entries()) {
  if (asked.length > 0 ? !asked.some(word => name.includes(word)) : !TABLES.includes(name)) continue
  console.log(`\n== ${name}\n`)
  const file = all[at]
  run(file.endsWith('.ts') ? await bundle(file) : resolve('test/bench', file), ['--expose-gc'], {
    TOCSIN_BENCH_OUT: out,
    ...(values.before && { TOCSIN_BENCH_BEFORE: resolve(values.before) }),
  })
}
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

function run(program, flags, env = {}) {
  const { status } = spawnSync(process.execPath, [...flags, program], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  if (status !== 0) process.exitCode = 1
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
