import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli } from '../support/cli.js'
import { runs } from '../support/property.js'
import { ROOT } from '../support/shared.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-order-'))
  await cp(join(ROOT, 'distributions/stateful-alert/examples'), folder, { recursive: true })
})
afterAll(() => rm(folder, { recursive: true }))

interface Case {
  readonly name: string
  readonly input: readonly object[]
  readonly advance: string
}

const input = fc.record({
  at: fc.integer({ min: 0, max: 400 }).map(s => `${s}s`),
  body: fc.constantFrom(
    'ERROR connection refused',
    'connection established',
    'disk usage 95%',
    'disk usage 42%',
    'OOM killer killed 7',
    'ERROR rate limit exceeded',
    'request succeeded',
  ),
  resource: fc.constantFrom({ 'host.name': 'web-1' }, { 'host.name': 'web-2' }),
  times: fc.integer({ min: 1, max: 4 }),
  every: fc.constantFrom('1s', '20s', '2m'),
})
const one = fc.record({
  input: fc.array(input, { maxLength: 4 }),
  advance: fc.constantFrom('0s', '10m', '2h'),
})

/** What each of the tests comes to, when they run in this order. */
async function resultsOf(cases: readonly Case[]): Promise<{ [name: string]: unknown }> {
  const file = join(folder, 'made.test.yaml')
  const tests = cases.map(each => ({ ...each, expect: { snapshot: true } }))
  const env = { ONCALL_URL: 'https://oncall.example/hook' }
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ config: 'collector.yaml', env, tests }))
  const { stdout, code } = await cli(['test', file, '--update'])
  expect(stdout).toContain(`${cases.length} passed`)
  expect(code).toBe(0)
  return JSON.parse(await readFile(join(folder, 'made.test.snap.json'), 'utf8'))
}

test('a test comes to the same alone and beside others, in any order', async () => {
  const cases = fc
    .array(one, { minLength: 2, maxLength: 12 })
    .map(all => all.map((each, at) => ({ ...each, name: `test ${at}` })))
  const both = cases.chain(all =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  )
  await fc.assert(
    fc.asyncProperty(both, async ([all, shuffled]) => {
      const together = await resultsOf(all)
      // And they are written in their order, whichever ended first.
      expect(Object.keys(together)).toEqual(all.map(({ name }) => name))
      expect(await resultsOf(shuffled)).toEqual(together)
      const alone = shuffled[0] as Case
      expect(await resultsOf([alone])).toEqual({ [alone.name]: together[alone.name] })
    }),
    runs(40, 3),
  )
})
