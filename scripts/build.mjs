// `npm run build`: types and modules by tsc, then each command as one bundle with a chunk for each part that loads on
// demand. A command that reads 30 files starts several times as fast as one that reads 800.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { buildPage } from './build-page.mjs'

const COMMANDS = {
  tocsin: 'full',
  'tocsin-stateful-alert': 'stateful-alert',
  'tocsin-valerter': 'valerter',
}
/** They find their binaries beside their own files. */
const BESIDE = ['re2', 'lmdb', '@bokuweb/zstd-wasm']
const OUT = 'dist/commands'

const { status } = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
  {
    stdio: 'inherit',
  },
)
if (status !== 0) process.exit(status ?? 1)
rmSync(OUT, { recursive: true, force: true })

const { metafile } = await build({
  entryPoints: Object.fromEntries(
    Object.entries(COMMANDS).map(([name, folder]) => [name, `dist/distributions/${folder}/bin.js`]),
  ),
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  outdir: OUT,
  chunkNames: 'chunks/[name]-[hash]',
  external: BESIDE,
  plugins: [{ name: 'commonjs-by-require', setup: requireCommonJs }],
  // Without the paths of tsconfig.json, by which some modules came in twice: from dist, and from their source.
  tsconfigRaw: {},
  // ES modules, of which only what is used goes in, where a package has them beside CommonJS. RxJS hides its own from Node.js, and
  // of OpenTelemetry's conventions the packages that are used here name stable attributes only.
  mainFields: ['module', 'main'],
  alias: {
    rxjs: resolve('node_modules/rxjs/dist/esm/index.js'),
    '@opentelemetry/semantic-conventions': resolve(
      'node_modules/@opentelemetry/semantic-conventions/dist/stable_attributes.mjs',
    ),
  },
  minifyWhitespace: true,
  minifySyntax: true,
  // Where a stack trace shows a line, it is one that can be read.
  lineLimit: 160,
  legalComments: 'none',
  metafile: true,
  // Bundled CommonJS asks for node's own modules this way.
  banner: {
    js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
  },
  logLevel: 'warning',
})
const page = await buildPage()
writeFileSync(join(OUT, 'LICENSES.txt'), licenses({ inputs: { ...metafile.inputs, ...page.inputs } }))

/**
 * Node.js 20 rejects twice where an ES module imports a CommonJS one that throws, once without anybody who could hear of it
 * (findings/node-import-after-failed-commonjs.sh): a native module that was built for another Node.js would be a stack trace.
 */
function requireCommonJs({ onResolve, onLoad }) {
  const namespace = 'commonjs'
  onResolve({ filter: /^re2$/ }, ({ path, kind }) =>
    kind === 'require-call' ? undefined : { path, namespace },
  )
  onLoad({ filter: /./, namespace }, ({ path }) => ({ contents: `export default require('${path}')` }))
}

/** Of the packages that are in the bundles: their licences ask to be passed on. */
function licenses({ inputs }) {
  const packages = new Set(
    Object.keys(inputs).flatMap(path => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  )
  return [...packages]
    .sort()
    .map(folder => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const file = readdirSync(folder).find(each => /^licen[cs]e/i.test(each))
      const text = file ? readFileSync(join(folder, file), 'utf8').trim() : `Licence: ${license}`
      return `${name} ${version}\n\n${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}
