import { expect, it } from 'vitest'
import { commonSchemas, configFactories, testFormats } from '../../test/fixtures/config-factories.js'
import type { Problem } from '../component/index.js'
import { loadConfig } from './index.js'

async function warnings(
  files: { readonly [path: string]: string },
  mode: number | undefined,
): Promise<readonly Problem[]> {
  const loaded = await loadConfig({
    sources: Object.keys(files),
    sets: [],
    factories: configFactories,
    formats: testFormats,
    common: commonSchemas,
    environment: {
      cwd: '/etc/tocsin',
      env: { HOOK: 'https://chat.example.com/hooks/abc', TOKEN: 't0ken' },
      readFile: async path => files[path.replace('/etc/tocsin/', '')] as string,
      modeOf: async () => mode,
      fetch: () => Promise.reject(new Error('no network')),
    },
  })
  return loaded.warnings
}

const yaml = (hook: string, header = 'Bearer ${env:TOKEN}'): string => `
receivers: { victorialogs: { endpoint: 'http://127.0.0.1:1', query: error } }
exporters:
  mattermost:
    webhook_url: ${hook}
  webhook:
    endpoint: http://127.0.0.1:1/in
    headers: { Authorization: '${header}' }
service: { pipelines: { logs: { receivers: [victorialogs], exporters: [mattermost, webhook] } } }
`
const LITERAL = 'https://chat.example.com/hooks/abc'

it('warns of a secret in a file that everyone can read, without showing it', async () => {
  const found = await warnings({ 'tocsin.yaml': yaml(LITERAL, 'Bearer abcdef') }, 0o644)
  expect(found).toEqual([
    {
      severity: 'warning',
      code: 'secret-written-out',
      file: 'tocsin.yaml',
      line: 5,
      column: 18,
      path: ['exporters', 'mattermost', 'webhook_url'],
      message: 'a secret is written here (and 1 more), and every user can read the file (mode 0644)',
      fix: 'chmod 600 tocsin.yaml, or take secrets from variables: ${env:NAME}',
    },
  ])
})

it('says nothing where nobody else can read it, or modes say nothing', async () => {
  for (const mode of [0o600, 0o640, undefined]) {
    expect(await warnings({ 'tocsin.yaml': yaml(LITERAL) }, mode)).toEqual([])
  }
})

it('says nothing of headers that are not named like a secret', async () => {
  const text = yaml('${env:HOOK}').replace('Authorization', 'X-Tenant').replace('Bearer ${env:TOKEN}', 'a')
  expect(await warnings({ 'tocsin.yaml': text }, 0o644)).toEqual([])
})

it('says nothing of secrets that come of variables', async () => {
  expect(await warnings({ 'tocsin.yaml': yaml('${env:HOOK}') }, 0o644)).toEqual([])
})

it('finds user and password in a URL, and names the file that holds them', async () => {
  const found = await warnings(
    {
      'conf/base.yaml': yaml('${env:HOOK}'),
      'conf/more.yaml': 'exporters: { webhook: { endpoint: "https://bob:pass@example.com/" } }',
    },
    0o604,
  )
  expect(found).toMatchObject([{ file: 'conf/more.yaml', path: ['exporters', 'webhook', 'endpoint'] }])
})
