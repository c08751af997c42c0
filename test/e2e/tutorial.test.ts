import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { freePort } from '../support/free-port.js'
import { ROOT } from '../support/shared.js'

const MARK = '--- end of a step ---'

/** The blocks of a page in order: a file (its first line names it), a command, or the answer to the command before. */
function stepsOf(markdown: string): { readonly language: string; readonly text: string }[] {
  return [...markdown.matchAll(/```(yaml|sh|text)\n([\s\S]*?)```/g)].map(([, language = '', text = '']) => ({
    language,
    text,
  }))
}

/** An answer as it is written down: `...` is what may differ, blanks are as many as the columns need. */
function patternOf(answer: string): RegExp {
  const escaped = answer
    .trim()
    .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replaceAll('\\.\\.\\.', '[\\s\\S]*?')
    .replace(/[^\S\n]+/g, '\\s+')
  return new RegExp(`^\\s*${escaped}\\s*$`)
}

test('the tutorial does what it says, step by step', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-tutorial-'))
  const destination = await httpDestination()
  const [page, metrics] = [await freePort(), await freePort()]
  const markdown = readFileSync(join(ROOT, 'docs/tutorial.md'), 'utf8')
    .replaceAll('13134', `${page}`)
    .replace(
      '  dashboard:\nservice:\n',
      `  dashboard: { endpoint: "127.0.0.1:${page}" }\nservice:\n  telemetry: { metrics: { address: "127.0.0.1:${metrics}" } }\n`,
    )
  mkdirSync(join(folder, 'bin'))
  const command = `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'dist/commands/tocsin.js')}' "$@"\n`
  writeFileSync(join(folder, 'bin/tocsin'), command, { mode: 0o755 })
  const shell = spawn('bash', ['-m'], {
    cwd: folder,
    env: {
      PATH: `${folder}/bin:${process.env.PATH}`,
      HOME: folder,
      NO_COLOR: '1',
      ONCALL_URL: destination.url,
    },
  })
  let said = ''
  for (const stream of [shell.stdout, shell.stderr])
    stream.setEncoding('utf8').on('data', text => (said += text))
  const run = async (command: string): Promise<string> => {
    said = ''
    shell.stdin.write(`${command}\necho "${MARK}"\n`)
    await expect.poll(() => said, { timeout: 30_000, message: command }).toContain(MARK)
    return said.slice(0, said.indexOf(MARK))
  }
  try {
    let answer = ''
    for (const { language, text } of stepsOf(markdown)) {
      if (language === 'sh') answer = await run(text)
      else if (language === 'text') expect(answer).toMatch(patternOf(text))
      else writeFileSync(join(folder, /^# (\S+\.yaml)\n/.exec(text)?.[1] as string), text)
    }
    const told = destination.requests.map(({ body }) => JSON.parse(String(body)).alert.status)
    expect(told.slice(0, 2)).toEqual(['alert', 'recovery'])
    expect(told.length).toBeGreaterThan(3)
  } finally {
    // Also what a failed step left in the background.
    shell.stdin.end('kill $(jobs -p) 2>/dev/null; exit\n')
    await once(shell, 'close')
    await destination.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
