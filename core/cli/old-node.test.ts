import { expect, test } from 'vitest'
import { oldNodeHint } from './old-node.js'

test.each(['v18.20.8', 'v20.18.3', 'v20.9.0', 'v0.10.48'])('%s is too old', version => {
  expect(oldNodeHint('tocsin', version)).toBe(
    `tocsin needs Node.js 20.19 or later, and this is ${version}: install a newer one, or start tocsin with it.`,
  )
})

test.each(['v20.19.0', 'v22.1.0', 'v26.0.0-nightly2026', process.version])('%s will do', version => {
  expect(oldNodeHint('tocsin', version)).toBeUndefined()
})
