import { readFileSync } from 'node:fs'
import { globSync } from 'tinyglobby'
import { mergeConfig } from 'vitest/config'
import base from './vitest.config.js'

const TESTS = '{core,receivers,processors,exporters,distributions,test}/**/*'

/** What takes too long for every change, and every property tried thirty times as often: `npm run test:slow`. */
export default mergeConfig(
  { ...base, test: { ...base.test, projects: undefined } },
  {
    test: {
      include: [`${TESTS}.slow.test.ts`, ...withProperties()],
      exclude: ['**/node_modules/**', 'dist/**'],
      env: { TOCSIN_PROPERTY_RUNS: process.env.TOCSIN_PROPERTY_RUNS ?? '30' },
      testTimeout: 900_000,
    },
  },
)

function withProperties(): string[] {
  return globSync(`${TESTS}.test.ts`).filter(file => readFileSync(file, 'utf8').includes('/property.js'))
}
