// Compiles what is written in AssemblyScript and keeps it as a module beside it, so that neither the build nor the tests need the
// compiler. After a change of receivers/victorialogs/wasm: node scripts/wasm.mjs
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import asc from 'assemblyscript/dist/asc.js'

const SOURCE = 'receivers/victorialogs/wasm/scan-lines.ts'
const MODULE = 'receivers/victorialogs/scan-lines-code.ts'

const flags = '--outFile out.wasm --runtime stub --optimizeLevel 3 --noAssert --enable simd'
let code
const { error, stderr } = await asc.main([SOURCE, ...flags.split(' ')], {
  writeFile: (name, content) => {
    if (name === 'out.wasm') code = Buffer.from(content)
  },
})
if (error) {
  console.error(stderr.toString())
  process.exit(1)
}
const digest = createHash('sha256').update(readFileSync(SOURCE)).digest('hex')
const lines = code.toString('base64').match(/.{1,100}/g)
writeFileSync(
  MODULE,
  `// Made of wasm/scan-lines.ts by \`node scripts/wasm.mjs\`; a test knows the SHA-256 of the source:
// ${digest}
/** WebAssembly in Base64. */
export const SCAN_LINES_CODE: string =
${lines.map(line => `  '${line}'`).join(' +\n')}
`,
)
console.log(`${MODULE}: ${code.length} bytes of WebAssembly`)
