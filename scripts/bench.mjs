// `npm run bench`: every benchmark of test/bench, one after another; `npm run bench -- pattern` only those so named.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { build } from 'esbuild'

const only = process.argv.slice(2)
const out = resolve('dist/bench')
const files = readdirSync('test/bench')
  .filter(name => /\.bench\.(mjs|ts)$/.test(name))
  .filter(name => only.length === 0 || only.some(word => name.includes(word)))

for (const name of files) {
  console.log(`\n== ${name}`)
  const program = name.endsWith('.ts') ? await bundle(name) : resolve('test/bench', name)
  const { status } = spawnSync(process.execPath, ['--expose-gc', program], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
rmSync(out, { recursive: true, force: true })

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
