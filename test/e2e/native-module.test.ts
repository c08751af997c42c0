import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../support/shared.js'

const RE2 = `
const path = '/app/node_modules/re2/build/Release/re2.node'
throw Object.assign(new Error(\`The module '\${path}' was compiled against a different Node.js version\`), { code: 'ERR_DLOPEN_FAILED' })
`

// Node.js 20.20.2 also rejects a promise that nobody holds: findings/node-import-after-failed-commonjs.sh
test.each([['components'], ['schema'], ['validate', '--config', 'distributions/full/demo.yaml']])(
  'a native module built for another Node.js is one sentence: %s',
  (...words) => {
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-native-'))
    try {
      for (const each of ['package.json', 'dist/commands', 'distributions/full'])
        cpSync(join(ROOT, each), join(folder, each), { recursive: true })
      const re2 = join(folder, 'node_modules', 're2')
      mkdirSync(re2, { recursive: true })
      writeFileSync(join(re2, 'index.js'), RE2)
      const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/commands/tocsin.js', ...words], {
        cwd: folder,
        encoding: 'utf8',
      })
      expect({ status, stdout, stderr }).toEqual({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(
          /^The native module of re2 was built for another Node\.js than this one \(v[\d.]+\): run "npm rebuild" in .*\.\n$/,
        ),
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
