import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startCommand } from '../support/command.js'
import { freePort } from '../support/free-port.js'
import { ROOT } from '../support/shared.js'

test('the curl line of the README raises an alert in the demonstration, once', async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const line = /^curl http:[\s\S]*?'$/m
    .exec(readme.replaceAll("' -d '", "' -d \u0000"))?.[0]
    .replace('\u0000', "'")
  // The demonstration on ports of its own, so that tests can run beside each other.
  const [http, metrics, page] = [await freePort(), await freePort(), await freePort()]
  const overlay = `yaml:
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } } }
extensions: { health_check: { endpoint: "127.0.0.1:0" }, dashboard: { endpoint: "127.0.0.1:${page}" } }
service: { telemetry: { metrics: { address: "127.0.0.1:${metrics}" } } }`
  const demo = startCommand(['--config', join(ROOT, 'distributions/full/demo.yaml'), '--config', overlay])
  await demo.says(new RegExp(`Listening on [\\d.]+:${http}`))
  await demo.says(new RegExp(`The dashboard: http://127.0.0.1:${page}/`))
  const command = `${line?.replace(':4318', `:${http}`)} -sS --fail`
  for (let turn = 0; turn < 2; turn++) await promisify(execFile)('bash', ['-c', command])
  await demo.says(/\[CRITICAL\] Database Connection Failed \(my-host/)
  // By itself, too: what it makes up breaks five seconds after its start.
  await demo.says(/\[CRITICAL\] Database Connection Failed \(app-/)
  const shown = await fetch(`http://127.0.0.1:${page}/api/summary?from=${Date.now() - 3_600_000}`)
  const { byHost } = (await shown.json()) as { readonly byHost: { readonly items: readonly object[] } }
  expect(byHost.items).toContainEqual(expect.objectContaining({ name: 'app-1' }))
  demo.child.kill('SIGTERM')
  const { code, stdout } = await demo.finished
  expect(code).toBe(0)
  expect(stdout.match(/my-host/g)?.length).toBeGreaterThan(0)
  expect(stdout.match(/\[CRITICAL\] Database Connection Failed \(my-host/g)).toHaveLength(1)
  expect(stdout).toContain('ERROR orders-db connection refused (10.0.0.12:5432)')
})
