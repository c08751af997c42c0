import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { EDITORS } from './editors/index.js'
import { convertersWith } from './functions/index.js'

it('the README names every function, and no other', () => {
  const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
  const part = readme.slice(readme.indexOf('## Converters'), readme.indexOf('## Where it differs'))
  const named = [...part.matchAll(/`(\w+)`/g)].map(match => match[1])
  expect(named.sort()).toEqual([...convertersWith(() => 0n).keys(), ...EDITORS.keys()].sort())
})
