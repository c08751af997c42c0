import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { main, processIo } from 'tocsin'
import { httpDestination } from 'tocsin/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { full } from '../../distributions/full/index.js'
import { cli } from '../support/cli.js'
import { runCommand, startCommand } from '../support/command.js'
import { ROOT } from '../support/shared.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const QUIET = 'service: {telemetry: {metrics: {level: none}}}'

async function config(text: string, name = 'tocsin.yaml'): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, text)
  return file
}

const outputSize = async (): Promise<number> => (await readFile(join(folder, 'out.jsonl'))).length

const REPLAY = `
receivers:
  file_log: { include: [in.log], start_at: beginning, stop_at_end: true }
exporters:
  file: { path: out.jsonl }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [file_log], exporters: [file] }
`

const LIVE = `
receivers:
  demo_logs:
exporters:
  file: { path: out.jsonl }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [demo_logs], exporters: [file] }
`

function withHanging(yaml: string, kind: string): string {
  switch (kind) {
    case 'exporter':
      return yaml.replace('exporters:\n', 'exporters:\n  hanging:\n').replace('[file]', '[file, hanging]')
    case 'receiver':
      return yaml
        .replace('receivers:\n', 'receivers:\n  hanging:\n')
        .replace('[demo_logs]', '[demo_logs, hanging]')
    case 'processor':
      return `${yaml.replace('exporters: [', 'processors: [hanging], exporters: [')}processors: { hanging: }\n`
    default:
      return `${yaml.replace('service:\n', 'service:\n  extensions: [hanging]\n')}extensions: { hanging: }\n`
  }
}

describe('the command', () => {
  test('--version and --help', async () => {
    expect(await runCommand(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^tocsin \d+\.\d+\.\d+/),
    })
    const help = await runCommand(['--help'])
    expect(help.code).toBe(0)
    for (const word of ['validate', 'print-config', 'components', 'new', '--config', '--set']) {
      expect(help.stdout).toContain(word)
    }
  })

  test('an unknown command or option is an error that says where help is', async () => {
    for (const args of [['nonsense'], ['--nonsense'], []]) {
      const { code, stderr } = await cli(args)
      expect(code).toBe(1)
      expect(stderr).not.toBe('')
    }
  })

  test.each([
    [['validat'], /unknown command 'validat': did you mean validate\?/],
    [['run', '--config', 'a.yaml'], /to run a collector write tocsin --config FILE/],
    [['a.yaml'], /write tocsin --config a\.yaml/],
    [['validate', 'my logs.yaml'], /write tocsin validate --config 'my logs\.yaml'/],
    [['validate', '--config', 'a.yaml', 'more'], /unexpected argument 'more'/],
    [['new', 'exporter', 'a', 'b'], /unexpected argument 'b'/],
    [[], /try tocsin demo/],
  ])('%j is told what was meant', async (args, answer) => {
    const stderr = new PassThrough()
    expect(await main(full, args, { ...processIo(), stderr })).toBe(1)
    expect(String(stderr.read())).toMatch(answer)
  })

  test('ends quietly when nobody reads its output', async () => {
    const { child, finished } = startCommand(['schema'])
    child.stdout?.destroy()
    expect(await finished).toMatchObject({ code: 1, stderr: '' })
  })

  test('components lists kinds, types and stability', async () => {
    const { code, stdout } = await cli(['components'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^receiver +file_log +\w+ /m)
    expect(stdout).toMatch(/^exporter +webhook +\w+ /m)
    expect(JSON.parse((await cli(['components', '--json'])).stdout)).toEqual(
      expect.arrayContaining([expect.objectContaining({ kind: 'processor', type: 'throttle' })]),
    )
  })

  test('validate says OK in one line, with what it found, and answers 0 when all is well', async () => {
    expect(await runCommand(['validate', '--config', await config(REPLAY)])).toMatchObject({
      code: 0,
      stdout: 'OK: pipeline logs with 1 receiver, 1 exporter\n',
      stderr: '',
    })
  })

  test('validate prints one problem a line with file, line, column and key path', async () => {
    const file = await config(
      REPLAY.replace('include:', 'includes:')
        .replace('exporters: [file] }', 'exporters: [fil] }')
        .replace('file: {', `file: { condition: "body = 'x'",`),
    )
    const { code, stderr } = await cli(['validate', '--config', file])
    expect(code).toBe(1)
    const lines = stderr.trim().split('\n')
    expect(lines.length).toBeGreaterThanOrEqual(2)
    for (const line of lines) expect(line.startsWith(`${file}:`), line).toBe(true)
    expect(stderr).toMatch(/:3:\d+: receivers\.file_log/)
    expect(stderr).toMatch(/:9:\d+: service\.pipelines\.logs\.exporters\[0\]: .*"file"/)
  })

  test('validate reads the lookup tables that would be used', async () => {
    const header = 'alert_pattern,recovery_pattern,normalized_message,severity,alert_schema'
    const good = 'ERROR,OK,It broke,critical,immediate'
    const bad = '(,OK,It broke,critical,immediate'
    const file = await config(
      LIVE.replace(
        'exporters:',
        'processors:\n  stateful_alert: { lookup_table: { location: t.csv } }\nexporters:',
      ).replace('exporters: [file] }', 'processors: [stateful_alert], exporters: [file] }'),
    )
    const table = join(folder, 't.csv')
    const validate = async (...lines: readonly string[]) => {
      await writeFile(table, `${lines.join('\n')}\n`)
      const { code, stderr } = await cli(['validate', '--config', file])
      return [code, ...stderr.split('\n').slice(0, -1)]
    }
    expect(await validate(header, bad, good)).toEqual([
      0,
      expect.stringContaining(
        `${table}:2: alert_pattern: warning: the row is rejected: a group has no closing`,
      ),
    ])
    expect(await validate('pattern,severity', good)).toEqual([
      1,
      expect.stringContaining(`${table}:1: alert_pattern: the table has no column "alert_pattern"`),
    ])
    await rm(table)
    const { code, stderr } = await cli(['validate', '--config', file])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /:5:\d+: processors\.stateful_alert\.lookup_table\.location: .*cannot be read: ENOENT/,
    )
  })

  test('validate reads no lookup table of a URL, or of a processor that no pipeline has', async () => {
    const unused = 'processors: { stateful_alert: { lookup_table: { location: missing.csv } } }'
    const file = await config(`${LIVE}${unused}\n`)
    const { code, stderr } = await cli(['validate', '--config', file])
    expect(code).toBe(0)
    expect(stderr).not.toContain('missing.csv')
    const url = 'processors.stateful_alert.lookup_table.location=http://127.0.0.1:1/alerts.csv'
    const used = 'service.pipelines.logs.processors=[stateful_alert]'
    expect(await cli(['validate', '--config', file, '--set', url, '--set', used])).toMatchObject({
      code: 0,
      stderr: '',
    })
  })

  test('print-config merges, expands and redacts', async () => {
    const first = await config(
      'exporters: {webhook: {endpoint: "http://127.0.0.1:9/x", headers: {A: "Bearer ${env:TOKEN}", B: written-out}}}',
      'a.yaml',
    )
    const second = await config(
      'receivers: {demo_logs: }\nservice: {pipelines: {logs: {receivers: [demo_logs], exporters: [webhook]}}}',
      'b.yaml',
    )
    const { code, stdout } = await cli(
      ['print-config', '--config', first, '--config', second, '--set', 'exporters.webhook.method=PUT'],
      { env: { TOKEN: 'top-secret' } },
    )
    expect(code).toBe(0)
    expect(stdout).toContain('http://127.0.0.1:9/[REDACTED]')
    expect(stdout).toContain('method: PUT')
    // A secret that came of a reference stays the reference: the output can be used.
    expect(stdout).toContain('Bearer ${env:TOKEN}')
    expect(stdout).not.toMatch(/top-secret|written-out/)
  })

  test('ends with 0 when all inputs have ended, with everything delivered', async () => {
    await writeFile(join(folder, 'in.log'), 'one\ntwo\nthree')
    const { code, stderr } = await runCommand(['--config', await config(REPLAY)])
    expect(code).toBe(0)
    expect(stderr).toMatch(/"delivered":3/)
    expect(
      (await readFile(join(folder, 'out.jsonl'), 'utf8')).match(/"stringValue":"(one|two|three)"/g),
    ).toHaveLength(3)
  })

  describe('when all inputs have ended and the destination fails', () => {
    const yaml = `
receivers: {stdin: }
exporters: {webhook: {endpoint: 'ENDPOINT', retry_on_failure: {initial_interval: 10ms}}}
service: {pipelines: {logs: {receivers: [stdin], exporters: [webhook]}}}`
    const durable = 'extensions: {file_storage: {directory: data}}\nservice: {extensions: [file_storage]}'
    const lastLine = (stderr: string) => JSON.parse(stderr.trim().split('\n').at(-1) ?? '')

    test.each([
      ['in memory', [], '5 dropped by webhook'],
      ['in a durable queue', ['--config', `yaml:${durable}`], '5 in the durable queue of webhook'],
    ])('%s: tries until the drain time is over, and ends with 3', async (_, more, where) => {
      const file = await config(yaml.replace('ENDPOINT', 'http://127.0.0.1:9'))
      const { code, stderr } = await runCommand(
        ['--config', file, ...more, '--config', `yaml:${QUIET}`, '--set', 'service.shutdown_timeout=300ms'],
        { input: '1\n2\n3\n4\n5\n' },
      )
      expect(code).toBe(3)
      expect(lastLine(stderr)).toMatchObject({
        level: 'error',
        msg: `Stopped. Records that were not delivered: ${where}.`,
        delivered: 0,
      })
    })

    test('delivers all where it fails now and then, and ends with 0', async () => {
      const sink = await httpDestination()
      sink.answer = (_, index) => (index % 3 === 0 ? 500 : undefined)
      const file = await config(yaml.replace('ENDPOINT', sink.url))
      const input = Array.from({ length: 40 }, (_, index) => `${index}\n`).join('')
      const args = ['--config', file, '--config', `yaml:${durable}`, '--config', `yaml:${QUIET}`]
      const { code, stderr } = await runCommand(args, { input })
      await sink.close()
      expect({ code, accepted: sink.accepted.length }).toEqual({ code: 0, accepted: 40 })
      expect(lastLine(stderr)).toMatchObject({ msg: 'Stopped.', delivered: 40 })
    })

    test('what the destination refuses is no success either; a signal ends the tries', async () => {
      const sink = await httpDestination()
      sink.answer = () => 400
      const file = await config(yaml.replace('ENDPOINT', sink.url))
      const args = ['--config', file, '--config', `yaml:${durable}`, '--config', `yaml:${QUIET}`]
      const refused = await runCommand(args, { input: 'a\n' })
      expect(refused.code).toBe(3)
      expect(lastLine(refused.stderr).msg).toContain('1 kept as dead letters of webhook')
      sink.answer = () => 503
      const tries = startCommand([...args, '--set', 'service.shutdown_timeout=1h'], { input: 'b\n' })
      await tries.says(/answered 503/)
      tries.child.kill('SIGTERM')
      const { code, stderr } = await tries.finished
      await sink.close()
      expect(code).toBe(3)
      expect(lastLine(stderr).msg).toContain('1 in the durable queue of webhook')
    })
  })

  test('reads from standard input', async () => {
    const yaml = `receivers: {stdin: }\nexporters: {file: {path: out.jsonl}}\nservice: {pipelines: {logs: {receivers: [stdin], exporters: [file]}}}`
    const { code } = await runCommand(['--config', await config(yaml), '--config', `yaml:${QUIET}`], {
      input: 'a\nb\n',
    })
    expect(code).toBe(0)
    expect(await readFile(join(folder, 'out.jsonl'), 'utf8')).toMatch(
      /"stringValue":"a"[\s\S]*"stringValue":"b"/,
    )
  })

  test('an invalid configuration ends with 1 and all problems', async () => {
    const { code, stderr } = await runCommand(['--config', await config(LIVE.replace('[file]', '[nothing]'))])
    expect(code).toBe(1)
    expect(stderr).toContain('nothing')
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('%s drains and ends with 0', async signal => {
    const command = startCommand(['--config', await config(LIVE)])
    await command.says(/is running/)
    command.child.kill(signal)
    expect(await command.finished).toMatchObject({ code: 0, stderr: expect.stringMatching(/Stopped\./) })
  })

  test('a collector outlives the reader of its log', async () => {
    const { child, finished, says } = startCommand(['--config', await config(LIVE)])
    await says(/is running/)
    for (const stream of [child.stdout, child.stderr]) stream?.destroy()
    for (let turn = 0; turn < 3; turn++) {
      const before = await outputSize()
      child.kill('SIGHUP')
      await expect.poll(outputSize).toBeGreaterThan(before)
    }
    child.kill('SIGTERM')
    expect(await finished).toMatchObject({ code: 0 })
  })

  test('what a component leaves open does not keep a collector that has stopped', async () => {
    await writeFile(
      join(folder, 'leaky.mjs'),
      `export const components = [{
        kind: 'exporter', api: 1, type: 'leaky', stability: 'alpha', description: '', schema: { type: 'object', properties: {} },
        create: () => ({ start: async () => void setInterval(() => {}, 1000), send: async () => 'ok' }),
      }]`,
    )
    const yaml = `packages: [./leaky.mjs]${LIVE.replace('file: { path: out.jsonl }', 'leaky:').replace('[file]', '[leaky]')}`
    const command = startCommand(['--config', await config(yaml)])
    await command.says(/is running/)
    command.child.kill('SIGTERM')
    expect(await command.finished).toMatchObject({ code: 0, stderr: expect.stringMatching(/Stopped\./) })
  })

  test('a start that never ends does not keep a collector that is to stop', async () => {
    await writeFile(
      join(folder, 'waiting.mjs'),
      `export const components = [{
        kind: 'exporter', api: 1, type: 'waiting', stability: 'alpha', description: '', schema: { type: 'object', properties: {} },
        create: ({ logger }) => ({
          start: () => { logger.info('Waiting.'); return new Promise(() => {}) },
          send: async () => 'ok',
        }),
      }]`,
    )
    const yaml = `packages: [./waiting.mjs]${LIVE.replace('file: { path: out.jsonl }', 'waiting:').replace('[file]', '[waiting]')}`
    const command = startCommand(['--config', await config(yaml), '--set', 'service.shutdown_timeout=200ms'])
    await command.says(/Waiting/)
    command.child.kill('SIGTERM')
    const { code, stderr } = await command.finished
    expect(stderr).toContain('cannot start: the start did not end within 0.2 s of being told to stop')
    expect(code).toBe(1)
  })

  describe.each(['exporter', 'processor', 'receiver', 'extension'])(
    'a reload in which the start of a new %s never ends',
    kind => {
      test.each(['ends', 'never ends'])(
        'does not keep a collector that is to stop, when its stop %s',
        async stop => {
          const hanging = `{
        start: () => { console.error('Waiting.'); return new Promise(() => {}) },
        stop: () => ${stop === 'ends' ? 'undefined' : 'new Promise(() => {})'},
        send: async () => 'ok', operator: source => source, watermark: () => undefined, finite: false,
      }`
          await writeFile(
            join(folder, 'hanging.mjs'),
            `export const components = [{
          kind: '${kind}', api: 1, type: 'hanging', stability: 'alpha', description: '', schema: { type: 'object', properties: {} },
          create: () => (${hanging}),
        }]`,
          )
          const before = `packages: [./hanging.mjs]${LIVE}`
          const file = await config(before)
          const command = startCommand(['--config', file, '--set', 'service.shutdown_timeout=1s'])
          await command.says(/is running/)
          await writeFile(file, withHanging(before, kind))
          command.child.kill('SIGHUP')
          await command.says(/Waiting/)
          command.child.kill('SIGTERM')
          const { code, stderr } = await command.finished
          expect(stderr).toContain('A component has not started in time: stopping without it.')
          if (stop === 'never ends') return
          expect(stderr).toMatch(/Stopped\./)
          expect(code).toBe(0)
        },
      )
    },
  )

  test('many components look like no leak, nor do many consumers of a queue', async () => {
    const all = Array.from({ length: 12 }, (_, index) => index)
    const each = (line: (index: number) => string) => all.map(line).join('\n')
    const yaml = `
receivers:
${each(i => `  file_log/${i}: { include: [${i}.log], start_at: beginning, storage: file_storage/${i} }`)}
${each(i => `  otlp/${i}: { protocols: { http: { endpoint: 127.0.0.1:0 }, grpc: { endpoint: 127.0.0.1:0 } } }`)}
${each(i => `  demo_logs/${i}:`)}
processors:
${each(i => `  batch/${i}:`)}
exporters:
${each(i => `  debug/${i}:`)}
${each(i => `  otlp/${i}: { endpoint: 127.0.0.1:9, tls: { insecure: true } }`)}
  otlp_http: { endpoint: 'http://127.0.0.1:9', retry_on_failure: { initial_interval: 10s }, sending_queue: { num_consumers: 50 } }
connectors:
${each(i => `  forward/${i}:`)}
extensions:
${each(i => `  file_storage/${i}: { directory: data/${i} }`)}
${each(i => `  health_check/${i}: { endpoint: 127.0.0.1:0 }`)}
service:
  shutdown_timeout: 100ms
  telemetry: { metrics: { level: none } }
  extensions: [${all.flatMap(i => [`file_storage/${i}`, `health_check/${i}`]).join(', ')}]
  pipelines:
${each(i => `    logs/${i}: { receivers: [file_log/${i}, otlp/${i}, demo_logs/${i}], processors: [batch/${i}], exporters: [debug/${i}, otlp/${i}, otlp_http, forward/${i}] }`)}
${each(i => `    logs/more${i}: { receivers: [forward/${i}], exporters: [debug/${i}] }`)}
`
    const command = startCommand(['--config', await config(yaml)])
    await command.says(/ECONNREFUSED/)
    command.child.kill('SIGHUP')
    await command.says(/The new configuration is in force/)
    command.child.kill('SIGTERM')
    const { code, stderr } = await command.finished
    expect(stderr).not.toMatch(/warning: |MaxListeners/i)
    expect(code).toBe(0)
  })

  test('shows the attributes of service.telemetry.resource with its metrics', async () => {
    const metrics = 'metrics: { address: 127.0.0.1:0 }, resource: { deployment.environment: staging }'
    const yaml = LIVE.replace('metrics: { level: none }', metrics)
    const command = startCommand(['--config', await config(yaml)])
    await command.says(/Our own metrics: http/)
    const [url = ''] = /http:[^"]*\/metrics/.exec(command.output().stderr) ?? []
    expect(await (await fetch(url)).text()).toMatch(/^target_info\{.*deployment_environment="staging"/m)
    command.child.kill('SIGTERM')
    await command.finished
  })

  test('npm start takes Ctrl+C of a terminal for one signal, wherever its input comes from', async () => {
    const yaml = LIVE.replace('file: { path: out.jsonl }', 'webhook: { endpoint: "http://127.0.0.1:9/" }')
      .replace('[file]', '[webhook]')
      .replace('service:', 'service:\n  shutdown_timeout: 1s')
    const child = spawn(process.execPath, ['scripts/start.mjs', '--config', await config(yaml)], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    })
    let log = ''
    child.stderr.setEncoding('utf8').on('data', text => {
      log += text
    })
    const ended = once(child, 'close')
    await expect.poll(() => log).toMatch(/ECONNREFUSED/)
    // A terminal signals every process of the foreground group.
    process.kill(-(child.pid as number), 'SIGINT')
    expect((await ended)[0]).toBe(0)
    expect(log).toMatch(/Stopped\./)
  })

  test('a second signal ends at once with 1', async () => {
    const yaml = LIVE.replace(
      'file: { path: out.jsonl }',
      'webhook: { endpoint: "http://127.0.0.1:9/" }',
    ).replace('[file]', '[webhook]')
    const command = startCommand(['--config', await config(yaml)])
    await command.says(/is running/)
    // Until something waits in the queue for a destination that is not there.
    await command.says(/ECONNREFUSED/)
    command.child.kill('SIGTERM')
    await command.says(/draining/)
    command.child.kill('SIGTERM')
    expect(await command.finished).toMatchObject({ code: 1 })
  })

  test('a reload repeats no warning that is known', async () => {
    const unused = (name: string) => LIVE.replace('exporters:', `exporters:\n  debug/${name}:`)
    const file = await config(unused('one'))
    const command = startCommand(['--config', file])
    await command.says(/is running/)
    command.child.kill('SIGHUP')
    await command.says(/The new configuration is in force/)
    await writeFile(file, `\n\n${unused('one').replace('exporters:', 'exporters:\n  debug/two:')}`)
    command.child.kill('SIGHUP')
    await command.says(/debug\/two/)
    command.child.kill('SIGTERM')
    const { stderr } = await command.finished
    expect(stderr.match(/debug\/one[^\n]*in no pipeline/g)).toHaveLength(1)
  })

  test('a hundred SIGHUPs are one reload, and SIGTERM comes before them', async () => {
    const file = await config(LIVE)
    const command = startCommand(['--config', file])
    await command.says(/is running/)
    for (let sent = 0; sent < 100; sent++) command.child.kill('SIGHUP')
    await command.says(/The new configuration is in force/)
    for (let sent = 0; sent < 100; sent++) command.child.kill('SIGHUP')
    command.child.kill('SIGTERM')
    const { code, stderr } = await command.finished
    expect(code).toBe(0)
    // How many of them come before the reload begins is a matter of speed.
    expect(stderr.match(/The new configuration is in force/g)?.length).toBeLessThanOrEqual(3)
  })

  test('SIGHUP takes a good configuration and refuses a bad one', async () => {
    const file = await config(LIVE)
    const command = startCommand(['--config', file])
    await command.says(/is running/)
    await writeFile(file, LIVE.replace('[file]', '[nothing]'))
    command.child.kill('SIGHUP')
    await command.says(/the old one stays in force/)
    // One that does not start takes its log level with it: what comes next is said again.
    const quiet = LIVE.replace('telemetry: {', 'telemetry: { logs: { level: error },')
    await writeFile(file, quiet.replace('out.jsonl', '.'))
    command.child.kill('SIGHUP')
    await command.says(/The exporter file did not start: EISDIR.*going back to the old one/)
    await writeFile(file, LIVE.replaceAll('out.jsonl', 'other.jsonl'))
    command.child.kill('SIGHUP')
    await command.says(/The new configuration is in force/)
    const other = join(folder, 'other.jsonl')
    await expect.poll(() => readFile(other, 'utf8')).not.toBe('')
    command.child.kill('SIGTERM')
    expect(await command.finished).toMatchObject({ code: 0 })
  })
})
