import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, expect, it } from 'vitest'
import { full } from '../../distributions/full/index.js'
import { processIo } from './io.js'
import { type NewOptions, newComponent } from './new-component.js'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

it.each([
  ['y', 'ts'],
  ['YES', 'ts'],
  ['', 'js'],
  ['n', 'js'],
])('asks on a terminal in which language, and takes "%s"', async (answer, extension) => {
  const { question, made } = await written({ terminal: true, answer })
  expect(question).toContain('In TypeScript? [y/N]')
  expect(made(`index.${extension}`)).toBe(true)
  expect(made('tsconfig.json')).toBe(extension === 'ts')
})

it.each([
  ['told --typescript', { terminal: true, options: { typescript: true } }, 'ts'],
  ['told --javascript', { terminal: true, options: { javascript: true } }, 'js'],
  ['away from a terminal', { terminal: false }, 'js'],
])('does not ask when %s', async (_, how, extension) => {
  const { question, made } = await written(how)
  expect(question).not.toContain('In TypeScript?')
  expect(made(`index.${extension}`)).toBe(true)
})

it('says what to run next so that a shell takes it, wherever it is', async () => {
  const { question, cwd } = await written({ terminal: false, prefix: "it's new " })
  const quoted = `'${join(cwd, 'tocsin-their-pager').replace("it's", "it'\\''s")}'`
  expect(question).toContain(`\nNext: cd ${quoted} && npm install && npm test\n`)
})

it('speaks of the files that are there', async () => {
  const { read } = await written({ terminal: false, options: { typescript: true } })
  expect(read('README.md')).toContain('because `index.ts` says')
  expect(read('their-pager.test.ts')).toContain('// their-pager.ts is what you change')
  expect(read('their-pager.test.ts')).toContain("from './index.js'")
})

it.each(['class', 'index', 'resolve', 'schema', 'components', 'define_exporter'])(
  'refuses the type %s, and says why',
  async type => {
    await expect(written({ terminal: false, type })).rejects.toThrow(
      `"${type}" cannot be a type here, as it is a word of JavaScript or a name that the package uses itself: choose another one, such as my_${type}.`,
    )
  },
)

interface How {
  readonly terminal: boolean
  readonly answer?: string
  readonly options?: NewOptions
  readonly type?: string
  /** Of the name of the folder that it is asked in. */
  readonly prefix?: string
}

async function written({ prefix = 'tocsin-new-', type = 'their_pager', ...how }: How) {
  const cwd = await realpath(await mkdtemp(join(tmpdir(), prefix)))
  folders.push(cwd)
  const stdin = Object.assign(new PassThrough(), { isTTY: how.terminal })
  const stdout = Object.assign(new PassThrough(), { isTTY: how.terminal })
  let question = ''
  stdout.on('data', data => {
    if (!question.includes('TypeScript?') && `${data}`.includes('TypeScript?')) {
      stdin.write(`${how.answer}\n`)
    }
    question += data
  })
  await newComponent(full, 'exporter', type, how.options ?? {}, {
    ...processIo(),
    cwd,
    stdin,
    stdout,
  })
  const path = (file: string): string => join(cwd, 'tocsin-their-pager', file)
  return {
    question,
    cwd,
    made: (file: string) => existsSync(path(file)),
    read: (file: string) => readFileSync(path(file), 'utf8'),
  }
}
