import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination } from 'tocsin/testing'
import { afterEach, expect, test } from 'vitest'
import { startCommand } from '../support/command.js'
import { freePort } from '../support/free-port.js'
import { redisServerBinary, startRedis } from '../support/redis.js'
import { ROOT } from '../support/shared.js'

const FOLDER = join(ROOT, 'distributions/prometheus')
const AVAILABLE = ['promtool', 'prometheus'].every(tool => !spawnSync(tool, ['--version']).error)
const NEEDED = AVAILABLE ? '' : " (skipped: needs Debian's prometheus)"

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly type: string } }[]
}

async function dashboard(): Promise<readonly Panel[]> {
  return JSON.parse(await readFile(join(FOLDER, 'dashboard.json'), 'utf8')).panels
}

test.skipIf(!AVAILABLE)(`promtool takes the rules, and they fire when they should${NEEDED}`, () => {
  for (const args of [
    ['check', 'rules', 'rules.yaml'],
    ['test', 'rules', 'rules.test.yaml'],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: FOLDER, encoding: 'utf8' })
    expect(`${stdout}${stderr}`).toContain('SUCCESS')
    expect(status).toBe(0)
  }
})

test('the dashboard has the panels of the Stateful Alerts page', async () => {
  expect((await dashboard()).map(({ title }) => title)).toEqual(
    expect.arrayContaining([
      ...['Alert Triggers', 'Recoveries', 'Accumulating', 'Duplicates Suppressed'],
      ...['Alert Transitions Over Time', 'Alerts by Severity', 'Recent Notifications'],
    ]),
  )
})

test.skipIf(!AVAILABLE || !redisServerBinary())(
  `a real Prometheus finds what each panel and each rule asks for${NEEDED}`,
  async () => {
    const { metricsPort, log } = await busyCollector()
    const query = await prometheus(metricsPort)
    const metrics = new Set(
      `${await readFile(join(FOLDER, 'rules.yaml'), 'utf8')}${JSON.stringify(await dashboard())}`.match(
        /\b(otelcol|tocsin)_\w+/g,
      ),
    )
    expect(metrics.size).toBeGreaterThan(15)
    for (const metric of metrics) {
      await expect.poll(() => query(`count(${metric}{job="tocsin"})`), { message: metric }).toHaveLength(1)
    }
    // After the first scrape: figures are what came since.
    await log('ERROR disk', 'ERROR disk', 'OK disk')
    const figure = (title: string) => async (): Promise<number[]> => {
      const panel = (await dashboard()).find(one => one.title === title)
      return query(filled(panel?.targets?.[0]?.expr ?? ''))
    }
    const poll = { interval: 500 }
    await expect.poll(async () => (await figure('Alert Triggers')())[0], poll).toBeGreaterThan(0)
    await expect.poll(async () => (await figure('Duplicates Suppressed')())[0], poll).toBeGreaterThan(0)
    for (const { title, targets = [] } of await dashboard()) {
      for (const { expr } of targets.filter(target => target.datasource.type === 'prometheus')) {
        expect(await query(filled(expr)), `${title}: ${expr}`).not.toHaveLength(0)
      }
    }
  },
)

/** As Grafana does, with everything chosen. */
function filled(expr: string): string {
  return expr.replaceAll(/\$(job|instance|pipeline|severity)/g, '.*').replaceAll(/\$__\w+/g, '5m')
}

/** One whose destinations refuse or are gone, so that there is something of everything. */
async function busyCollector() {
  const redis = await startRedis()
  stops.push(() => redis.stop())
  const sink = await httpDestination()
  stops.push(() => sink.close())
  sink.answer = ({ path }) => (path === '/refuses' ? 400 : undefined)
  const metricsPort = await freePort()
  const ports = [await freePort(), await freePort()]
  const nobody = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-prometheus-'))
  stops.push(() => rm(folder, { recursive: true, force: true }))
  await writeFile(
    join(folder, 'alerts.csv'),
    'alert_pattern,recovery_pattern,normalized_message,severity,alert_schema\nERROR disk,OK disk,Broken,critical,"immediate,3600"\n',
  )
  await writeFile(
    join(folder, 'tocsin.yaml'),
    `
extensions: {redis_storage: {endpoint: '${redis.endpoint}'}}
receivers:
  otlp: {protocols: {http: {endpoint: '127.0.0.1:${ports[0]}'}}}
  otlp/gone: {protocols: {http: {endpoint: '127.0.0.1:${ports[1]}'}}}
processors: {stateful_alert: {lookup_table: {location: alerts.csv}, storage: redis_storage, hash_keys: [host.name]}}
exporters:
  webhook: {endpoint: '${sink.url}'}
  webhook/refuses: {endpoint: '${sink.url}/refuses'}
  webhook/gone: {endpoint: 'http://127.0.0.1:${nobody}', sending_queue: {queue_size: 1}, retry_on_failure: {initial_interval: 50ms}}
service:
  extensions: [redis_storage]
  shutdown_timeout: 1s
  telemetry: {metrics: {address: '127.0.0.1:${metricsPort}'}}
  pipelines:
    logs: {receivers: [otlp], processors: [stateful_alert], exporters: [webhook, webhook/refuses]}
    logs/gone: {receivers: [otlp/gone], exporters: [webhook/gone]}
`,
  )
  const collector = startCommand(['--config', 'tocsin.yaml'], { cwd: folder })
  stops.push(() => {
    collector.child.kill()
    return collector.finished
  })
  await collector.says(/is running/)
  const shown = async (metric: string): Promise<boolean> =>
    new RegExp(`^${metric}{.* [1-9]`, 'm').test(
      await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    )
  const log = async (...lines: string[]): Promise<void> => {
    const logRecords = lines.map(stringValue => ({ body: { stringValue } }))
    for (const port of ports) {
      await fetch(`http://127.0.0.1:${port}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }),
        // It is answered when everything was delivered: never, where the destination is gone.
        signal: AbortSignal.timeout(2_000),
      }).catch(() => {})
    }
  }
  await expect
    .poll(
      async () => {
        await log('ERROR disk', 'OK disk')
        return (
          (await shown('otelcol_receiver_refused_log_records')) &&
          (await shown('tocsin_dead_letter_log_records_total'))
        )
      },
      { timeout: 30_000 },
    )
    .toBe(true)
  return { metricsPort, log }
}

/** A real server that scrapes this port each second; the answer runs a query and gives the values. */
async function prometheus(target: number): Promise<(query: string) => Promise<number[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-prometheus-data-'))
  const port = await freePort()
  await copyFile(join(FOLDER, 'rules.yaml'), join(folder, 'rules.yaml'))
  await writeFile(
    join(folder, 'prometheus.yml'),
    `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yaml]
scrape_configs: [{job_name: tocsin, static_configs: [{targets: ['127.0.0.1:${target}']}]}]
`,
  )
  const child = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  stops.push(async () => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true, force: true })
  })
  const query = async (text: string): Promise<number[]> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`)
    const { status, error, data } = (await response.json()) as {
      status: string
      error?: string
      data: { result: { value: [number, string] }[] }
    }
    if (status !== 'success') throw new Error(`${text}: ${error}`)
    return data.result.map(({ value }) => Number(value[1]))
  }
  await expect
    .poll(
      () =>
        query('up').then(
          values => values.length,
          () => 0,
        ),
      { timeout: 30_000 },
    )
    .toBeGreaterThan(0)
  return query
}
