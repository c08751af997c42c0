import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

// Slow: fetches the compiler.
test('the WebAssembly that is kept is what its source compiles to', () => {
  const told = execFileSync(process.execPath, ['scripts/wasm.mjs', '--check'], { encoding: 'utf8' })
  expect(told).toContain('is what receivers/victorialogs/wasm/scan-lines.ts compiles to')
}, 120_000)
