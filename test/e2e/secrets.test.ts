import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConfigSchema, createRecord } from 'tocsin/component'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loaded } from '../../core/config/catalog.js'
import { full } from '../../distributions/full/index.js'
import { cli } from '../support/cli.js'
import { startCollector } from '../support/collector.js'
import { pushAndKeep } from '../support/push.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const FACTORIES = await Promise.all(full.components.map(loaded))
const SECRET = 'hunter2-hunter2'

/** All that a command says of a configuration. */
async function said(config: unknown): Promise<string> {
  const file = join(folder, 'tocsin.yaml')
  await writeFile(file, JSON.stringify(config))
  const answers = [await cli(['validate', '--config', file]), await cli(['print-config', '--config', file])]
  return answers.map(({ stdout, stderr }) => stdout + stderr).join('\n')
}

/** The ways to each place of a schema at or above one of its secrets. */
function* places(schema: ConfigSchema, way: readonly (string | number)[] = []): Generator<typeof way> {
  const below: [string | number, ConfigSchema][] = [
    ...Object.entries(schema.properties ?? {}),
    ...(typeof schema.additionalProperties === 'object'
      ? [['any', schema.additionalProperties] as [string, ConfigSchema]]
      : []),
    ...(schema.items ? [[0, schema.items] as [number, ConfigSchema]] : []),
  ]
  const inside = [
    ...below.flatMap(([key, one]) => [...places(one, [...way, key])]),
    ...(schema.anyOf ?? []).flatMap(branch => [...places(branch, way)]),
  ]
  yield* inside
  if (schema.secret === true || inside.length > 0) yield way
}

function put(way: readonly (string | number)[], value: unknown): unknown {
  return way.reduceRight<unknown>((inner, key) => (key === 0 ? [inner] : { [key]: inner }), value)
}

describe('a secret in a wrong place is not shown', () => {
  const cases = FACTORIES.flatMap(factory => {
    const found = [...places(factory.schema)].map(way => way.join('.'))
    const ways = [...new Set(found)].map(way =>
      way === '' ? [] : way.split('.').map(key => (key === '0' ? 0 : key)),
    )
    return ways.length > 0 ? [[`${factory.kind} ${factory.type}`, factory, ways] as const] : []
  })

  test.each(cases)('%s', async (_, { kind, type }, ways) => {
    for (const way of ways) {
      // The names of headers are no secrets.
      const bare = way.at(-1) === 'headers' ? [] : [{ [SECRET]: null }, [{ [SECRET]: null }]]
      for (const wrong of [SECRET, [SECRET], [[SECRET]], ...bare]) {
        const service = { pipelines: { logs: { receivers: ['demo_logs'], exporters: ['debug'] } } }
        const config = { receivers: { demo_logs: null }, exporters: { debug: null }, service }
        const section = `${kind}s` as 'exporters'
        const text = await said({ ...config, [section]: { ...config[section], [type]: put(way, wrong) } })
        expect(text, `${way.join('.')}: ${JSON.stringify(wrong)}`).not.toContain(SECRET)
      }
    }
  })

  test('nor a number, or an unknown key beside it', async () => {
    const text = await said({
      extensions: { bearertokenauth: { tokens: 987654321, tokn: SECRET, x: [SECRET] } },
    })
    expect(text).toContain('unknown key "tokn"')
    expect(text).not.toMatch(/987654321|hunter2/)
  })
})

describe("the path of a webhook's URL, and secrets in its body_template", () => {
  const yaml = (endpoint: string) => `
receivers: { stdin: }
exporters:
  webhook:
    endpoint: '${endpoint}'
    body_template: '{"routing_key": "R0UTING", "text": {{json body}} }'
service: { pipelines: { logs: { receivers: [stdin], exporters: [webhook] } } }`

  test('are not in print-config, nor in what is said of mistakes', async () => {
    const file = join(folder, 'tocsin.yaml')
    const said = async (text: string): Promise<string> => {
      await writeFile(file, text)
      const { stdout, stderr } = await cli(['print-config', '--config', file])
      return stdout + stderr
    }
    const printed = await said(yaml('https://user:PASS1@chat.example/hooks/PATH1?x=QUERY1#HASH1'))
    expect(printed).toContain('endpoint: https://[REDACTED]@chat.example/[REDACTED]')
    expect(printed).toContain(`'{"routing_key": "[REDACTED]", "text": {{json body}} }'`)
    expect(printed).not.toMatch(/PASS1|PATH1|QUERY1|HASH1|R0UTING/)
    expect(await said(yaml('http://127.0.0.1:9/'))).toContain('endpoint: http://127.0.0.1:9/\n')
    const mistaken = await said(yaml('chat.example/hooks/PATH1').replace('{{json body}}', '{{json body}'))
    expect(mistaken).toContain('chat.example/[REDACTED]')
    expect(mistaken).not.toMatch(/PATH1|R0UTING/)
  })

  test('are not in logs, status and dead letters, though the server repeats them', async () => {
    const requests: string[] = []
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      requests.push(body)
      response.writeHead(400).end(`no ${request.url} with ${body}`)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/PATH1`
    const push = pushAndKeep()
    const storage =
      'yaml:{extensions: {file_storage: {directory: data}}, service: {extensions: [file_storage]}}'
    const options = { components: push.components, overlays: [storage], folder }
    const collector = await startCollector(yaml(url).replaceAll('stdin', 'push'), options)
    await push.offer([createRecord({ id: '1', body: 'a line' })])
    await expect.poll(() => collector.metric('otelcol_exporter_send_failed_log_records')).toBe(1)
    const status = JSON.stringify(collector.status().pipelines)
    const logs = JSON.stringify(collector.logs)
    await collector.stop()
    server.close()
    expect(requests.join()).toContain('R0UTING')
    const letters = await cli([
      'dead-letter',
      'list',
      '--json',
      '--config',
      join(folder, 'tocsin.yaml'),
      '--config',
      storage,
    ])
    expect(`${logs} ${status} ${letters.stdout}`).toMatch(/answered 400: no \[REDACTED\].*answered 400/s)
    expect(`${logs} ${status} ${letters.stdout}`).not.toMatch(/PATH1|R0UTING/)
  })
})
