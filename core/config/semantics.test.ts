import { describe, expect, it } from 'vitest'
import { configFactories } from '../../test/fixtures/config-factories.js'
import { AROUND, load, memoryEnvironment, problemsOf } from '../../test/fixtures/config-loading.js'
import { type AnyFactory, formatProblem } from '../component/index.js'

const environment = memoryEnvironment({}, { DB_PASSWORD: 'hunter2', TOKEN: 'abc123' })
const loaded = (yaml: string, more = {}) => load([`yaml:${yaml}`], environment, more)
const problems = (yaml: string, more = {}) => problemsOf(loaded(yaml, more))
const throttle = `${AROUND}processors: {throttle: {count: 1, window: 1m}}\n`

describe('a valid configuration', () => {
  it('has components with their factories and defaults, by the ids they were given', async () => {
    const { config, warnings } = await loaded(
      'receivers: {filelog/app: {include: [a.log]}}\nexporters: {file: {path: x, max_size: 10MB}}\n' +
        'service: {pipelines: {logs/a: {receivers: [file_log/app], exporters: [file]}}}',
    )
    expect(config.receivers['filelog/app']).toMatchObject({
      id: 'filelog/app',
      type: 'file_log',
      name: 'app',
      config: { include: ['a.log'], start_at: 'end', exclude: [] },
    })
    expect(config.service.pipelines['logs/a']).toEqual({
      id: 'logs/a',
      receivers: ['filelog/app'],
      processors: [],
      exporters: ['file'],
    })
    expect(warnings.map(formatProblem)).toEqual([
      '--config[1]:1:13: receivers.filelog/app: warning: the receiver type "filelog" is now called "file_log" (write "file_log/app")',
    ])
  })

  it('is not changed by what a component does with its defaults', async () => {
    const first = await loaded(throttle)
    const config = first.config.receivers.file_log!.config as { exclude: string[] }
    config.exclude.push('x')
    const second = await loaded(throttle)
    expect(second.config.receivers.file_log?.config).toMatchObject({ exclude: [] })
  })

  it('may have its metrics address in the way of the Collector', async () => {
    const readers = 'metrics: {readers: [{pull: {exporter: {prometheus: {host: "::1", port: 9000}}}}]}'
    const { config } = await load(
      [`yaml:${throttle}`, `yaml:service: {telemetry: {${readers}}}`],
      environment,
    )
    expect(config.service.telemetry.metrics).toEqual({ level: 'normal', address: '[::1]:9000', pushes: [] })
  })

  it('accepts aliases of keys, but not both', async () => {
    const webhook = (keys: string) =>
      `receivers: {file_log: {include: [a]}}\nexporters: {webhook: {${keys}}}\nservice: {pipelines: {logs: {receivers: [file_log], exporters: [webhook]}}}`
    const { config } = await loaded(webhook('url: "http://x/"'))
    expect(config.exporters.webhook?.config).toMatchObject({ endpoint: 'http://x/' })
    expect(await problems(webhook('url: "http://x/", endpoint: "http://y/"'))).toEqual([
      '--config[1]:2:41: exporters.webhook.endpoint: "url" and "endpoint" are the same key (keep "endpoint" only)',
    ])
    expect(await problems(webhook('url: x'))).toEqual([
      '--config[1]:2:28: exporters.webhook.url: "x" has no http:// or https:// (write http://x)',
    ])
  })
})

describe('checks of a component', () => {
  const withCheck = (check: AnyFactory['check']) => ({
    factories: configFactories.map(one =>
      one.type === 'throttle' ? ({ ...one, check } as AnyFactory) : one,
    ),
  })

  it('are placed where they point', async () => {
    const check = () => [
      { path: ['window'], message: 'is too short', fix: 'make it longer' },
      { path: ['mode'], message: 'does not fit' },
    ]
    expect(await problems(throttle, withCheck(check))).toEqual([
      '--config[1]:5:14: processors.throttle.mode: does not fit',
      '--config[1]:5:43: processors.throttle.window: is too short (make it longer)',
    ])
  })

  it('may warn, and may fail without harm', async () => {
    const warn = () => [{ path: [], message: 'odd', severity: 'warning' as const }]
    expect((await loaded(throttle, withCheck(warn))).warnings.map(formatProblem)).toEqual([
      '--config[1]:5:14: processors.throttle: warning: odd',
    ])
    const fail = () => {
      throw new Error('oops')
    }
    expect(await problems(throttle, withCheck(fail))).toEqual([
      '--config[1]:5:14: processors.throttle: checking this configuration failed: oops (report this to the author of the component)',
    ])
  })
})

describe('secrets', () => {
  const yaml = `
receivers: {victorialogs: {endpoint: 'http://me:hunter2@vl:9428/?token=abc123', query: 'x \${env:DB_PASSWORD}', basic_auth: {username: me, password: '\${env:DB_PASSWORD}'}, headers: {X-Any: abc123}}}
exporters: {mattermost: {webhook_url: '\${env:HOOK:-https://chat/abc123}'}}
service: {pipelines: {logs: {receivers: [victorialogs], exporters: [mattermost]}}}
`
  it('are left out of what is shown', async () => {
    expect((await loaded(yaml)).redacted()).toMatchObject({
      receivers: {
        victorialogs: {
          endpoint: 'http://[REDACTED]@vl:9428/?token=[REDACTED]',
          query: '[REDACTED]',
          basic_auth: { username: 'me', password: '${env:DB_PASSWORD}' },
          headers: { 'X-Any': '[REDACTED]' },
        },
      },
      exporters: { mattermost: { webhook_url: '[REDACTED]' } },
    })
  })

  it('are left out of every problem', async () => {
    const broken = yaml
      .replace("password: '${env:DB_PASSWORD}'", 'password: {a: hunter2}')
      .replace('https://chat', 'ftp://chat')
      .replace('http://me', 'gopher://me')
      .replace('X-Any: abc123', 'X-Any: [abc123]')
      .replace('[mattermost]', "[mattermost, '${env:DB_PASSWORD}']")
    const lines = await problems(broken)
    expect(lines).toHaveLength(5)
    expect(lines.join('\n')).not.toMatch(/hunter2|abc123/)
  })
})

describe('a mistake', () => {
  it('is told once, without those that follow from it', async () => {
    const files = memoryEnvironment({
      '/etc/tocsin/main.yaml': AROUND.replace(
        /receivers: \{file_log.*/,
        'receivers: ${file:in.yaml}',
      ).replace('processors: [throttle], ', ''),
      '/etc/tocsin/in.yaml': 'file_log:\n  include: [a.log\n',
    })
    expect(await problemsOf(load(['main.yaml'], files))).toEqual([
      'in.yaml:2:12: receivers.file_log.include: a "[" or "{" is not closed (add the closing "]" or "}")',
    ])
  })

  it.each([
    ['a:\n  b: "x\n  c: 1\n', '2:6: a.b: a quote is not closed (add the closing quote)'],
    ['a:\n  b: 1\n  c d\n', '3:6: a.b: a line without ":" among keys (write "key: value")'],
  ])('of YAML in %j is explained', async (yaml, line) => {
    expect(await problems(yaml)).toEqual([`--config[1]:${line}`])
  })
})
