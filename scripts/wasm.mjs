// Compiles what is written in AssemblyScript and keeps it as a module beside it, so that neither the build nor the tests need the
// compiler, which with its libraries is 100 MB: it is fetched here. After a change of a wasm folder:
// node scripts/wasm.mjs. With --check nothing is written: it fails when the module is not what the source compiles to.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const COMPILER = 'assemblyscript@0.28.20'
const CACHE = resolve('node_modules/.cache', COMPILER)
/** Each module beside the folder of its source, and what it exports. */
const MODULES = [
  ['receivers/victorialogs/wasm/scan-lines.ts', 'SCAN_LINES_CODE'],
  ['core/toolkit/otlp/wasm/scan-records.ts', 'SCAN_RECORDS_CODE'],
]

const asc = await compiler()
const flags = '--outFile out.wasm --runtime stub --optimizeLevel 3 --noAssert --enable simd'
for (const [source, name] of MODULES) {
  const target = source.replace(/wasm\/(.*)\.ts$/, '$1-code.ts')
  let code
  const { error, stderr } = await asc.main([source, ...flags.split(' ')], {
    writeFile: (name, content) => {
      if (name === 'out.wasm') code = Buffer.from(content)
    },
  })
  if (error) {
    console.error(stderr.toString())
    process.exit(1)
  }
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex')
  const lines = code.toString('base64').match(/.{1,100}/g)
  const module = `// Made of wasm/${basename(source)} by \`node scripts/wasm.mjs\`; a test knows the SHA-256 of the source:
// ${digest}
/** WebAssembly in Base64. */
export const ${name}: string =
${lines.map(line => `  '${line}'`).join(' +\n')}
`
  if (!process.argv.includes('--check')) {
    writeFileSync(target, module)
    console.log(`${target}: ${code.length} bytes of WebAssembly`)
  } else if (readFileSync(target, 'utf8') === module) {
    console.log(`${target} is what ${source} compiles to.`)
  } else {
    console.error(`${target} is not what ${source} compiles to: run "node scripts/wasm.mjs".`)
    process.exit(1)
  }
}

async function compiler() {
  const home = join(CACHE, 'node_modules/assemblyscript')
  if (!existsSync(home)) {
    mkdirSync(CACHE, { recursive: true })
    execFileSync('npm', ['install', '--prefix', CACHE, '--no-save', '--no-audit', '--no-fund', COMPILER], {
      stdio: 'inherit',
    })
  }
  return (await import(pathToFileURL(join(home, 'dist/asc.js')).href)).default
}
