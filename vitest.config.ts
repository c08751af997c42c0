import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^tocsin$/, replacement: at('./core/index.ts') },
      { find: /^tocsin\/component$/, replacement: at('./core/component/index.ts') },
      {
        find: /^tocsin\/(http|ottl|template|pattern|otlp|lines|notification)$/,
        replacement: at('./core/toolkit/$1/index.ts'),
      },
      { find: /^#(files|times)$/, replacement: at('./core/toolkit/$1/index.ts') },
      { find: /^#state$/, replacement: at('./core/state/index.ts') },
      { find: /^tocsin\/testing$/, replacement: at('./core/testing/index.ts') },
    ],
  },
  test: {
    include: ['{core,receivers,processors,exporters,distributions,test}/**/*.test.ts'],
    exclude: ['**/*.slow.test.ts', '**/node_modules/**', 'dist/**'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Not the default of one second: a busy machine may take longer to read a file.
    expect: { poll: { timeout: 10_000 } },
    // Native add-ons (re2, lmdb) are not safe to load in several worker threads of one process.
    pool: 'forks',
  },
})
