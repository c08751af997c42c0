import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { processIo } from '../../core/cli/io.js'
import { load } from '../../core/cli/load.js'
import { ConfigError } from '../../core/index.js'
import { full } from '../../distributions/full/index.js'

const folder = fileURLToPath(new URL('.', import.meta.url))
const files = readdirSync(folder)
  .filter(name => name.endsWith('.yaml'))
  .sort()

async function answer(file: string): Promise<string> {
  try {
    const io = { ...processIo(), cwd: folder, env: { LOG_FILE: '/var/log/app.log', COUNT: 'three' } }
    await load(full, { config: [file], set: [] }, io)
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
    // Indented lines show an expression with a caret at the fault.
    for (const line of text.split(/\n(?! {4})/))
      expect(line.split('\n')[0]).toMatch(/^[\w-]+\.yaml:\d+:\d+: .+ \(.+\)$/)
    expect(text).not.toMatch(/xyzzy|12345678/)
  })

  it('are at least twenty', () => expect(files.length).toBeGreaterThanOrEqual(20))
})
