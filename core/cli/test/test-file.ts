import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ConfigError, errorText, type Problem } from '../../component/index.js'
import {
  checkValue,
  locate,
  type Node,
  type Path,
  parseYaml,
  textSource,
  validatorFor,
} from '../../config/index.js'
import { checkPattern } from '../../toolkit/pattern/index.js'
import { FORMATS } from '../load.js'
import { type TestDocument, testSchema } from './schema.js'

/** A file of tests that is valid. */
export interface TestFile {
  /** As the user wrote it. */
  readonly name: string
  readonly path: string
  readonly folder: string
  readonly document: TestDocument
  /** `NAME:LINE` of a key. */
  place(path: Path): string
}

/** Reads and checks a file of tests. Throws `ConfigError` with all that is wrong. */
export async function readTestFile(name: string, cwd: string): Promise<TestFile> {
  const path = resolve(cwd, name)
  const folder = dirname(path)
  const text = await readFile(path, 'utf8').catch(error => {
    throw new ConfigError([
      { severity: 'error', file: name, path: [], message: `cannot be read: ${errorText(error)}` },
    ])
  })
  const source = textSource(name, folder, text)
  const { node, problems } = parseYaml(text, source)
  if (!node) {
    const empty: Problem = {
      severity: 'error',
      file: name,
      path: [],
      message: 'the file is empty',
      fix: 'write tests: [...]',
    }
    throw new ConfigError(problems.length > 0 ? problems : [empty])
  }
  const validator = validatorFor(await FORMATS.load(new Set(['duration', 'time-zone'])))
  const checked = checkValue(node, node.place, [], testSchema, validator)
  const found = [...problems, ...checked.problems]
  const document = checked.value as (TestDocument & { config?: string | readonly string[] }) | undefined
  if (document && found.length === 0) found.push(...problemsOf(document, node))
  if (found.length > 0 || !document) throw new ConfigError(found)
  const { config = [] } = document
  return {
    name,
    path,
    folder,
    document: { ...document, config: [config].flat().map(one => absolute(one, folder)) },
    place: at => `${name}:${lineOf(node, at)}`,
  }
}

/** What a schema cannot say. */
function problemsOf({ tests }: TestDocument, root: Node): Problem[] {
  const problems: Problem[] = []
  const problem = (path: Path, message: string, fix: string): void => {
    const { keyPlace } = locate(root, path)
    problems.push({ severity: 'error', ...keyPlace.source.position(keyPlace.offset), path, message, fix })
  }
  const names = new Map<string, number>()
  for (const [at, { name, input, expect }] of tests.entries()) {
    for (const { path, text, message } of badPatterns(expect, ['tests', at, 'expect']))
      problem(path, `${JSON.stringify(text)} is no regular expression: ${message}`, 'write what RE2 reads')
    const first = names.get(name)
    if (first !== undefined)
      problem(['tests', at, 'name'], `the test tests[${first}] has this name too`, 'each needs its own')
    else names.set(name, at)
    for (const [index, item] of input.entries()) {
      const path = ['tests', at, 'input', index]
      const kinds = (['body', 'line', 'file'] as const).filter(kind => item[kind] !== undefined)
      if (kinds.length !== 1)
        problem(
          path,
          kinds.length === 0 ? 'nothing comes in here' : `${kinds.join(' and ')} stand side by side`,
          'write one of body, line and file',
        )
      if (item.file !== undefined && item.times > 1)
        problem([...path, 'times'], 'a file comes once', 'remove it')
    }
  }
  return problems
}

/** `{ regex: ... }` wherever a text is expected. */
function badPatterns(
  value: unknown,
  path: Path,
): readonly { readonly path: Path; readonly text: string; readonly message: string }[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = [...path, Array.isArray(value) ? Number(key) : key]
    if (key !== 'regex' || typeof inner !== 'string' || Object.keys(value).length > 1)
      return badPatterns(inner, at)
    const found = checkPattern({ text: inner, mode: 'regex' })
    return found ? [{ path: at, text: inner, message: found.message }] : []
  })
}

function lineOf(root: Node, path: Path): number {
  const { keyPlace } = locate(root, path)
  return keyPlace.source.position(keyPlace.offset).line ?? 1
}

/** Sources such as `https:` stay as they are. */
function absolute(source: string, folder: string): string {
  return /^(env|yaml|https?):/.test(source) ? source : resolve(folder, source.replace(/^file:/, ''))
}
