import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const TESTS = '{core,receivers,processors,exporters,distributions,test}/**/*.test.ts'
const END_TO_END = ['test/{e2e,reliability,storage}/**/*.test.ts', '**/*.e2e.test.ts']
const NEVER = ['**/*.slow.test.ts', '**/node_modules/**', 'dist/**']

/** What takes long begins first, what is short fills up the end; and unit tests share workers only with their like. */
class ProcessesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isUnit = ({ project }: TestSpecification) => project.name === 'unit'
    return [...sorted.filter(file => !isUnit(file)), ...sorted.filter(isUnit)]
  }
}

export default defineConfig({
  resolve: {
    alias: [
      { find: /^tocsin$/, replacement: at('./core/index.ts') },
      { find: /^tocsin\/component$/, replacement: at('./core/component/index.ts') },
      {
        find: /^tocsin\/(http|ottl|template|pattern|otlp|lines|notification)$/,
        replacement: at('./core/toolkit/$1/index.ts'),
      },
      { find: /^#(files|history|times)$/, replacement: at('./core/toolkit/$1/index.ts') },
      { find: /^#state$/, replacement: at('./core/state/index.ts') },
      { find: /^tocsin\/components$/, replacement: at('./distributions/full/components.ts') },
      { find: /^tocsin\/testing$/, replacement: at('./core/testing/index.ts') },
    ],
  },
  test: {
    // They end what hangs. A busy machine takes ten times as long as an idle one, and no test is to fail of that.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    // Native add-ons (re2, lmdb) are not safe to load in several worker threads of one process.
    pool: 'forks',
    // One more than there are cores: tests wait, for time-outs of sockets and for processes.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: ProcessesFirst },
    // Files share the processes that they run in: loading the modules would be most of their time.
    isolate: false,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: [TESTS], exclude: [...NEVER, ...END_TO_END] },
      },
      {
        extends: true,
        test: { name: 'e2e', include: END_TO_END, exclude: NEVER },
      },
    ],
  },
})
