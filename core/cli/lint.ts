import { constants, createReadStream } from 'node:fs'
import { access, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createGunzip } from 'node:zlib'
import { ConfigError, errorText, formatProblem, PermanentError, type Problem } from '../component/index.js'
import { LineSplitter } from '../toolkit/lines/index.js'
import type { Distribution } from './distribution.js'
import { type CommandIo, type ConfigOptions, print } from './io.js'
import { load } from './load.js'

export interface LintOptions extends ConfigOptions {
  readonly format: 'text' | 'json' | 'sarif'
  readonly fix?: boolean
  /** Log files to try patterns on. */
  readonly log?: readonly string[]
  readonly ignore?: readonly string[]
}

/** Where each code is explained, in the package. */
const PAGE = 'docs/lint.md'
const OTHER = 'configuration'
const MAX_LINE_BYTES = 1_048_576

/** Prints what is valid in a configuration and yet hardly meant. The answer is 1 when there is something. */
export async function lint(distribution: Distribution, options: LintOptions, io: CommandIo): Promise<number> {
  for (const file of options.log ?? []) await checkReadable(file, io)
  let problems = await problemsOf(distribution, options, io)
  if (options.fix && (await fixAll(problems, io)) > 0) problems = await problemsOf(distribution, options, io)
  await print(io, FORMATS[options.format](problems, io.cwd))
  return problems.length > 0 ? 1 : 0
}

async function checkReadable(file: string, { cwd }: CommandIo): Promise<void> {
  const path = resolve(cwd, file)
  const problem = await access(path, constants.R_OK).then(async () => {
    return (await stat(path)).isDirectory() ? 'it is a folder: name files' : undefined
  }, errorText)
  if (problem !== undefined)
    throw new PermanentError('unreadable_file', `--log ${file} cannot be read: ${problem}`)
}

async function problemsOf(
  distribution: Distribution,
  { ignore = [], log = [], ...options }: LintOptions,
  io: CommandIo,
): Promise<readonly Problem[]> {
  const lines = log.length > 0 ? { lines: () => linesOf(log.map(file => resolve(io.cwd, file))) } : {}
  const all = await load(distribution, options, io, { checkFiles: true, lint: lines }).then(
    ({ settings }) => settings.warnings,
    error => {
      if (!(error instanceof ConfigError)) throw error
      return error.problems
    },
  )
  return all.filter(({ code = OTHER, severity }) => severity === 'error' || !ignore.includes(code))
}

const FORMATS = {
  text(problems: readonly Problem[]): string {
    if (problems.length === 0) return 'Nothing found.\n'
    const lines = problems.map(problem => `${formatProblem(problem)} [${problem.code ?? OTHER}]`)
    return `${[...lines, '', `${problems.length} found; what each code means: ${PAGE}`].join('\n')}\n`
  },
  json(problems: readonly Problem[]): string {
    return problems
      .map(({ removeLines, paste, ...problem }) => `${JSON.stringify({ code: OTHER, ...problem })}\n`)
      .join('')
  },
  /** SARIF 2.1.0 (OASIS): what code hosts show beside the lines of a change. */
  sarif(problems: readonly Problem[], cwd: string): string {
    const codes = [...new Set(problems.map(({ code = OTHER }) => code))].sort()
    const report = {
      $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: {
              name: 'tocsin lint',
              rules: codes.map(id => ({ id, help: { text: `See ${PAGE}, ${id}.` } })),
            },
          },
          results: problems.map(problem => sarifResult(problem, cwd)),
        },
      ],
    }
    return `${JSON.stringify(report, null, 2)}\n`
  },
} as const

function sarifResult(problem: Problem, cwd: string): unknown {
  const { code = OTHER, severity, file, line, column } = problem
  const { file: _, line: __, column: ___, ...placeless } = problem
  const name = file === undefined ? undefined : relative(cwd, resolve(cwd, file))
  return {
    ruleId: code,
    level: severity,
    message: { text: formatProblem({ ...placeless, severity: 'error' }) },
    ...(name !== undefined && {
      locations: [
        {
          physicalLocation: {
            artifactLocation: {
              uri: name.startsWith('..') ? pathToFileURL(resolve(cwd, name)).href : uriOf(name),
            },
            ...(line !== undefined && {
              region: { startLine: line, ...(column !== undefined && { startColumn: column }) },
            }),
          },
        },
      ],
    }),
  }
}

function uriOf(path: string): string {
  return path.split(sep).map(encodeURIComponent).join('/')
}

/** Takes out the lines that do nothing. A file is replaced as a whole: never half of it. */
async function fixAll(problems: readonly Problem[], io: CommandIo): Promise<number> {
  const removable = problems.filter(({ file, removeLines }) => file !== undefined && removeLines)
  let fixed = 0
  for (const name of new Set(removable.map(problem => problem.file as string))) {
    // Through a link: it stays one.
    const file = await realpath(resolve(io.cwd, name))
    const found = removable.filter(problem => problem.file === name)
    const bytes = await readFile(file)
    const text = bytes.toString('utf8')
    if (!Buffer.from(text).equals(bytes)) {
      io.stderr.write(`${relative(io.cwd, file)}: left as it is: it is no plain text.\n`)
      continue
    }
    const lines = text.split('\n')
    const gone = new Set<number>()
    for (const { removeLines } of found) {
      if (!removeLines) continue
      for (let line = removeLines.from; line <= removeLines.to; line++) gone.add(line - 1)
    }
    const { mode } = await stat(file)
    const beside = `${file}.${process.pid}.tmp`
    await writeFile(beside, lines.filter((_, at) => !gone.has(at)).join('\n'), { flag: 'wx', mode })
    await rename(beside, file)
    fixed += found.length
    io.stderr.write(`${relative(io.cwd, file)}: ${gone.size} line${gone.size === 1 ? '' : 's'} removed.\n`)
  }
  return fixed
}

/** Of text files, gzip too, in batches. */
async function* linesOf(files: readonly string[]): AsyncGenerator<readonly Uint8Array[]> {
  for (const file of files) {
    const lines = new LineSplitter({ maxLineBytes: MAX_LINE_BYTES, oversized: 'split' })
    const bytes = createReadStream(file)
    for await (const chunk of file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes)
      yield lines.push(chunk as Buffer)
    yield lines.end()
  }
}
