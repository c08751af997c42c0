import { mergeConfig } from 'vitest/config'
import base from './vitest.config.js'

/** What takes too long for every change: `npm run test:slow`. */
export default mergeConfig(
  { ...base, test: { ...base.test, include: undefined, exclude: undefined } },
  {
    test: {
      include: ['{core,receivers,processors,exporters,distributions,test}/**/*.slow.test.ts'],
      exclude: ['**/node_modules/**', 'dist/**'],
      testTimeout: 900_000,
    },
  },
)
