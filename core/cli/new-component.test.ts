import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
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

async function written(how: { terminal: boolean; answer?: string; options?: NewOptions }) {
  const cwd = await mkdtemp(join(tmpdir(), 'tocsin-new-'))
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
  await newComponent(full, 'exporter', 'their_pager', how.options ?? {}, {
    ...processIo(),
    cwd,
    stdin,
    stdout,
  })
  return { question, made: (file: string) => existsSync(join(cwd, 'tocsin-their-pager', file)) }
}
