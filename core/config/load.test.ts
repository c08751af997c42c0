import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import { describe, expect, it, vi } from 'vitest'
import { load as loadFrom } from '../../test/fixtures/config-loading.js'
import type { ConfigEnvironment } from './environment.js'
import type { LoadedConfig } from './index.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const shared = resolve(process.env.TOCSIN_SHARED ?? `${root}/../shared`)
const contract = `${shared}/contract`
const there = existsSync(contract)
if (!there) console.warn(`Skipped: the contract files are not at ${contract}.`)

const environment: ConfigEnvironment = {
  cwd: contract,
  env: {
    MATTERMOST_WEBHOOK: 'http://127.0.0.1:1/hooks/abc',
    PAGER_URL: 'http://127.0.0.1:2/page',
    PAGER_TOKEN: 's3cret',
    ONCALL_URL: 'http://127.0.0.1:3/',
    LOG_FILE: '/tmp/a.log',
    OUT_FILE: '/tmp/out.jsonl',
    REDIS_PASSWORD: '007',
  },
  readFile: path => readFile(path, 'utf8'),
  fetch: () => Promise.reject(new Error('no network')),
}

const load = (source: string): Promise<LoadedConfig> => loadFrom([source], environment)

describe.skipIf(!there)('the contract files', () => {
  it('load valerter-pipeline.yaml', async () => {
    const { config, warnings, baseDir } = await load('valerter-pipeline.yaml')
    expect(warnings).toEqual([])
    expect(baseDir).toBe(contract)
    expect(config.exporters['webhook/pager']?.config).toMatchObject({
      endpoint: 'http://127.0.0.1:2/page',
      headers: { Authorization: 'Bearer s3cret' },
      timeout: '5s',
    })
    expect(config.service).toMatchObject({
      extensions: ['health_check', 'file_storage'],
      shutdownTimeoutMs: 20_000,
      telemetry: { metrics: { level: 'normal', address: '127.0.0.1:8888' } },
      pipelines: {
        'logs/ssh': {
          receivers: ['victorialogs/ssh'],
          processors: ['parser/ssh', 'throttle/ssh', 'template/ssh'],
          exporters: ['mattermost/ops', 'webhook/pager'],
        },
      },
    })
  })

  it('load stateful-alert.yaml, and let the storage that is switched off be', async () => {
    const { config, warnings } = await load('stateful-alert.yaml')
    expect(config.extensions.redis_storage?.config).toEqual({
      endpoint: '127.0.0.1:6379',
      username: '',
      password: '007',
      db: 0,
      tls: { insecure: true },
    })
    expect(warnings.map(warning => warning.path)).toEqual([])
  })

  it('load replay-ssh.yaml', async () => {
    const { config } = await load('replay-ssh.yaml')
    expect(config.receivers.file_log?.config).toMatchObject({ include: ['/tmp/a.log'], stop_at_end: true })
  })

  it('compile each schema once, whatever is loaded again', async () => {
    await load('valerter-pipeline.yaml')
    const compile = vi.spyOn(Ajv.prototype, 'compile')
    for (let i = 0; i < 3; i++) await load('valerter-pipeline.yaml')
    expect(compile).not.toHaveBeenCalled()
    compile.mockRestore()
  })

  it('show no secret', async () => {
    const shown = JSON.stringify((await load('valerter-pipeline.yaml')).redacted())
    expect(shown).not.toContain('s3cret')
    expect(shown).not.toContain('hooks/abc')
    expect(shown).toContain('[REDACTED]')
  })
})
