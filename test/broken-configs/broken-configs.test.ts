import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../core/config/index.js'
import { ConfigError } from '../../core/index.js'
import { commonSchemas, configFactories, testFormats } from '../fixtures/config-factories.js'

const folder = fileURLToPath(new URL('.', import.meta.url))
const files = readdirSync(folder)
  .filter(name => name.endsWith('.yaml'))
  .sort()

async function answer(file: string): Promise<string> {
  try {
    await loadConfig({
      sources: [file],
      sets: [],
      factories: configFactories,
      formats: testFormats,
      common: commonSchemas,
      environment: {
        cwd: folder,
        env: { LOG_FILE: '/var/log/app.log', COUNT: 'three' },
        readFile: path => readFile(path, 'utf8'),
        fetch: () => Promise.reject(new Error('There is no network in this test.')),
      },
    })
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'no problem'
}

describe('broken configurations', () => {
  it.each(files)('%s gets an answer that names place, path and fix', async file => {
    const text = await answer(file)
    expect(text).toMatchSnapshot()
    for (const line of text.split('\n')) expect(line).toMatch(/^[\w-]+\.yaml:\d+:\d+: .+ \(.+\)$/)
    expect(text).not.toMatch(/xyzzy|12345678/)
  })

  it('are at least twenty', () => expect(files.length).toBeGreaterThanOrEqual(20))
})
