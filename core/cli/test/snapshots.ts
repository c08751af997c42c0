import { readFile, writeFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Observed } from './shown.js'

/** What tests of one file came to, by their names: `tocsin.test.yaml` has `tocsin.test.snap.json`. */
export class Snapshots {
  readonly path: string
  #kept: { [test: string]: unknown } | undefined
  readonly #used = new Map<string, unknown>()
  written = 0

  constructor(
    testFile: string,
    private readonly update: boolean,
  ) {
    this.path = `${testFile.replace(/\.ya?ml$/, '')}.snap.json`
  }

  /** What was kept of a test; undefined when there is nothing, or the new one is kept instead. */
  async of(test: string, observed: Observed): Promise<{ readonly kept?: unknown; readonly isNew: boolean }> {
    this.#kept ??= await read(this.path)
    this.#used.set(test, plain(observed))
    if (this.update) return { kept: plain(observed), isNew: false }
    return test in this.#kept ? { kept: this.#kept[test], isNew: false } : { isNew: true }
  }

  /** With --update: writes what changed, in the order of the tests, and forgets those that are gone. */
  async save(tests: readonly string[]): Promise<void> {
    if (!this.update || this.#used.size === 0) return
    const next = Object.fromEntries(
      tests.filter(test => this.#used.has(test)).map(test => [test, this.#used.get(test)]),
    )
    if (isDeepStrictEqual(next, this.#kept)) return
    await writeFile(this.path, `${JSON.stringify(next, null, 2)}\n`)
    this.written = this.#used.size
  }
}

/** Only what a person would look at in a test. */
export function plain({ alerts, recoveries, statuses, notifications }: Observed): unknown {
  return JSON.parse(JSON.stringify({ alerts, recoveries, statuses, notifications }))
}

async function read(path: string): Promise<{ [test: string]: unknown }> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new Error(`${path} cannot be read: ${(error as Error).message}; --update writes it anew`)
  }
}
