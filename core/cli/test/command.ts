import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, relative, resolve } from 'node:path'
import { createColors } from 'picocolors'
import { ConfigError, errorText, formatProblem } from '../../component/index.js'
import { systemClock } from '../../service/clock.js'
import type { ServiceSettings } from '../../service/settings.js'
import type { Distribution } from '../distribution.js'
import { type CommandIo, type ConfigOptions, print } from '../io.js'
import { load } from '../load.js'
import { compare, unknownExporters } from './compare.js'
import { Coverage } from './coverage.js'
import { compared, jsonLines, mismatchLines, type Paint } from './diff.js'
import { type CaseResult, type FileResult, isPassed, junitOf, tapOf } from './results.js'
import { type CaseRun, runCase } from './run-case.js'
import type { TestCase } from './schema.js'
import { plain, Snapshots } from './snapshots.js'
import { readTestFile, type TestFile } from './test-file.js'
import { watch } from './watch.js'

export interface TestOptions extends ConfigOptions {
  readonly update?: boolean
  readonly watch?: boolean
  readonly tap?: boolean
  readonly junit?: string
  readonly filter?: string
  /** Percent of the rows that tests must fire; true: only show. */
  readonly coverage?: boolean | string
}

/** Runs tests of pipelines. The answer is the exit code: 1 when one fails. */
export async function test(
  distribution: Distribution,
  names: readonly string[],
  options: TestOptions,
  io: CommandIo,
): Promise<number> {
  const least = leastCoverage(options)
  const once = async (): Promise<number> => {
    const files = await filesOf(names, io.cwd)
    if (files.length === 0) {
      const where = names.length === 0 ? 'here and below' : `in ${names.join(', ')}`
      io.stderr.write(`There is no file of tests (*.test.yaml) ${where}.\n`)
      return 1
    }
    return runFiles(distribution, files, options, least, io)
  }
  return options.watch ? watch(names, once, io, options.junit) : once()
}

async function runFiles(
  distribution: Distribution,
  files: readonly string[],
  options: TestOptions,
  least: number,
  io: CommandIo,
): Promise<number> {
  const started = systemClock.monotonicMs()
  const runner = new Runner(distribution, options, io)
  const results: FileResult[] = []
  for (const file of files) {
    const result = await runner.file(file)
    results.push(result)
    if (!options.tap) await print(io, runner.textOf(result))
  }
  if (
    options.filter !== undefined &&
    results.every(({ cases, problems }) => cases.length + problems.length === 0)
  ) {
    io.stderr.write(`No test has ${JSON.stringify(options.filter)} in its name (--filter).\n`)
    return 1
  }
  const covered = runner.coverage(least)
  if (options.tap) await print(io, tapOf(results))
  else await print(io, runner.summaryOf(results, systemClock.monotonicMs() - started))
  if (covered.text !== '') await (options.tap ? io.stderr.write(covered.text) : print(io, covered.text))
  if (options.junit) {
    const path = resolve(io.cwd, options.junit)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, junitOf(results))
  }
  return results.every(isPassed) && covered.enough ? 0 : 1
}

class Runner {
  readonly #paint: Paint & { bold(text: string): string }
  /** Configurations that were loaded, by what they were loaded from. */
  readonly #loaded = new Map<string, Promise<ServiceSettings>>()
  readonly #covered = new Map<string, Coverage>()

  constructor(
    private readonly distribution: Distribution,
    private readonly options: TestOptions,
    private readonly io: CommandIo,
  ) {
    this.#paint = createColors(
      io.env.NO_COLOR ? false : Boolean(io.env.FORCE_COLOR) || (io.stdout.isTTY ?? false),
    )
  }

  async file(name: string): Promise<FileResult> {
    const cases: CaseResult[] = []
    const snapshots = new Snapshots(resolve(this.io.cwd, name), this.options.update === true)
    const problems: string[] = []
    try {
      const file = await readTestFile(name, this.io.cwd)
      const { filter } = this.options
      const chosen = [...file.document.tests.entries()].filter(
        ([, { name }]) => filter === undefined || name.includes(filter),
      )
      await severalAtATime(chosen, ([at, one]) => this.#case(file, one, at, snapshots), cases)
      if (filter === undefined) await snapshots.save(chosen.map(([, { name }]) => name))
    } catch (error) {
      problems.push(...linesOf(error))
    }
    const { path, written } = snapshots
    return { name, problems, cases: cases.filter(Boolean), snapshots: { path, written } }
  }

  async #case(file: TestFile, one: TestCase, at: number, snapshots: Snapshots): Promise<CaseResult> {
    const path = ['tests', at]
    const place = file.place(path)
    const started = systemClock.monotonicMs()
    const failures: string[][] = []
    let run: CaseRun | undefined
    try {
      const { key, settings } = await this.#settings(file, one)
      for (const { path: at, message } of unknownExporters(one.expect, settings))
        failures.push([`${file.place([...path, 'expect', ...at])}: ${message}`])
      run = await runCase(settings, one, { folder: file.folder, start: file.document.start })
      if (this.options.coverage) {
        const covered = this.#covered.get(key) ?? new Coverage()
        this.#covered.set(key, covered)
        covered.add(run)
      }
      for (const failure of run.failures) failures.push([`${place}: ${failure}`])
      for (const mismatch of compare(one.expect, run, run.start)) {
        const where = file.place([...path, 'expect', ...mismatch.path])
        failures.push(mismatchLines(mismatch, where, this.#paint))
      }
      const { snapshot } = one.expect
      if (snapshot)
        failures.push(
          ...(await this.#compareSnapshot(snapshots, one, run, file.place([...path, 'expect', 'snapshot']))),
        )
    } catch (error) {
      // What a test does not set itself is wrong for all of them.
      if (error instanceof ConfigError && one.set.length === 0) throw error
      failures.push(...linesOf(error).map(line => [`${place}: ${line}`]))
    }
    const ms = systemClock.monotonicMs() - started
    return { name: one.name, place, ms, failures, warnings: run?.warnings ?? [] }
  }

  async #compareSnapshot(
    snapshots: Snapshots,
    { name }: TestCase,
    run: CaseRun,
    place: string,
  ): Promise<string[][]> {
    const { kept, isNew } = await snapshots.of(name, run)
    if (isNew) return [[`${place}: there is no snapshot yet: --update writes ${basename(snapshots.path)}`]]
    const lines = compared(jsonLines(kept), jsonLines(plain(run)))
    if (lines.every(([sign]) => sign === ' ')) return []
    const { red, green } = this.#paint
    const shown = lines.map(([sign, line]) =>
      sign === '-' ? red(`- ${line}`) : sign === '+' ? green(`+ ${line}`) : `  ${line}`,
    )
    return [[`${place}: differs from ${basename(snapshots.path)} (--update takes the new one)`, ...shown]]
  }

  async #settings(file: TestFile, { set }: TestCase): Promise<{ key: string; settings: ServiceSettings }> {
    const { document } = file
    const { options, io } = this
    const config = document.config.length > 0 ? document.config : options.config
    const sets = [...document.set, ...options.set, ...set]
    const key = JSON.stringify([config, sets, document.env])
    let loading = this.#loaded.get(key)
    if (!loading) {
      const env = { ...io.env, ...document.env }
      loading = load(this.distribution, { config, set: sets }, { ...io, env }).then(
        ({ settings }) => settings,
      )
      this.#loaded.set(key, loading)
    }
    // Rows are covered by all tests of a configuration, whatever is set for one.
    return { key: JSON.stringify(config.map(one => relative(io.cwd, one) || one)), settings: await loading }
  }

  /** Files that pass take a line. */
  textOf(file: FileResult): string {
    const { name, problems, cases, snapshots } = file
    const { red, green, dim, bold } = this.#paint
    const lines: string[] = []
    const failed = cases.filter(({ failures }) => failures.length > 0)
    const mark = isPassed(file) ? green('✓') : red('✗')
    const counted = [
      cases.length > failed.length ? `${cases.length - failed.length} passed` : '',
      failed.length > 0 ? `${failed.length} failed` : '',
    ]
    lines.push(`${mark} ${bold(name)} ${dim(counted.filter(Boolean).join(', '))}`)
    for (const problem of problems) lines.push(`  ${problem}`)
    for (const { name: title, place, failures, warnings } of failed) {
      lines.push('', `  ${red('✗')} ${title} ${dim(place)}`)
      for (const block of failures)
        lines.push(...block.map((line, at) => `    ${at === 0 ? '' : '  '}${line}`))
      for (const warning of warnings.slice(0, 5)) lines.push(dim(`    warning: ${warning}`))
    }
    if (failed.length > 0) lines.push('')
    if (snapshots.written > 0) lines.push(dim(`  wrote ${basename(snapshots.path)}`))
    return `${lines.join('\n')}\n`
  }

  summaryOf(files: readonly FileResult[], ms: number): string {
    const cases = files.flatMap(file => file.cases)
    const failed = cases.filter(({ failures }) => failures.length > 0).length
    const unread = files.filter(({ problems }) => problems.length > 0).length
    const parts = [
      `${cases.length - failed} passed`,
      failed > 0 ? this.#paint.red(`${failed} failed`) : '',
      unread > 0 ? this.#paint.red(`${unread} ${unread === 1 ? 'file' : 'files'} with mistakes`) : '',
    ]
    return `\n${parts.filter(Boolean).join(', ')} ${this.#paint.dim(`(${(ms / 1_000).toFixed(1)} s)`)}\n`
  }

  coverage(least: number): { readonly text: string; readonly enough: boolean } {
    if (!this.options.coverage) return { text: '', enough: true }
    const lines: string[] = []
    let enough = true
    for (const [key, covered] of this.#covered) {
      const { rows } = covered
      if (rows === 0) continue
      const missed = covered.missed()
      const fired = rows - missed.length
      const percent = Math.floor((fired / rows) * 100)
      if (percent < least) enough = false
      const short = percent < least ? this.#paint.red(`, less than ${least} %`) : ''
      lines.push(
        `${(JSON.parse(key) as string[]).join(' + ')}: ${fired} of ${rows} rows fire (${percent} %)${short}`,
      )
      for (const row of missed) lines.push(`  no test fires ${row}`)
    }
    return { text: `\n${lines.join('\n') || 'No configuration has a table.'}\n`, enough }
  }
}

/** Each has a clock and a graph of its own: while one waits for a file, others go on. */
const AT_A_TIME = 8

/** The answers are in the order of the items. When one throws no other begins, and those under way are waited for. */
async function severalAtATime<T, R>(items: readonly T[], run: (item: T) => Promise<R>, results: R[]) {
  const left = items.entries()
  let failed = false
  const work = async (): Promise<void> => {
    for (const [at, item] of left) {
      if (failed) return
      try {
        results[at] = await run(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: AT_A_TIME }, work))
  for (const end of ended) if (end.status === 'rejected') throw end.reason
}

function leastCoverage({ coverage }: TestOptions): number {
  if (typeof coverage !== 'string') return 0
  const percent = Number(coverage.replace('%', ''))
  if (!(percent >= 0 && percent <= 100))
    throw new Error(`--coverage takes a number from 0 to 100, not ${coverage}`)
  return percent
}

async function filesOf(names: readonly string[], cwd: string): Promise<readonly string[]> {
  const { glob, isDynamicPattern } = await import('tinyglobby')
  const { stat } = await import('node:fs/promises')
  const found = new Set<string>()
  const search = async (pattern: string, from: string): Promise<void> => {
    const files = await glob(pattern, { cwd: from, absolute: true, ignore: ['**/node_modules/**'] })
    for (const file of files.sort()) {
      // promtool's tests have the same names.
      if (!/^rule_files:/m.test(await readFile(file, 'utf8'))) found.add(relative(cwd, file) || file)
    }
  }
  for (const name of names.length === 0 ? ['.'] : names) {
    const entry = await stat(resolve(cwd, name)).catch(() => undefined)
    if (entry?.isDirectory()) await search('**/*.test.{yaml,yml}', resolve(cwd, name))
    else if (!entry && isDynamicPattern(name)) await search(name, cwd)
    else found.add(name)
  }
  return [...found]
}

function linesOf(error: unknown): string[] {
  if (error instanceof ConfigError)
    return error.problems.flatMap(problem => formatProblem(problem).split('\n'))
  return [errorText(error)]
}
