import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommand } from '../support/command.js'
import { bodies, command, ends, started, stopped, until, world } from '../support/valerter-world.js'

const CONFIG = `victorialogs: { main: { url: "\${VL_URL}" } }
metrics: { enabled: false }
defaults: { throttle: { count: 1000, window: 1m } }
templates: { plain: { title: "{{ rule_name }}", body: "{{ _msg }}" } }
notifiers: { hook: { type: webhook, url: "\${SINK}/hook" } }
rules:
  - { name: errors, query: error, parser: {}, notify: { template: plain, destinations: [hook] } }
  - { name: memory, query: '"Out of memory"', parser: {}, notify: { template: plain, destinations: [hook] } }
  - { name: warnings, query: 'level:warn !debug', parser: {}, notify: { template: plain, destinations: [hook] } }
  - { name: codes, query: 'err*', parser: {}, notify: { template: plain, destinations: [hook] } }
`

test('rules of words and phrases share a tail, also across a reload with a rule more and a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-words-'))
  ends.push(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'rules.d'))
  await writeFile(join(folder, 'config.yaml'), CONFIG)
  const here = await world(folder)
  const { server, sink } = here
  const expected = new Map<string, string[]>()
  const insert = (msg: string, rules: readonly string[], level = 'info'): void => {
    server.insert({ msg, time: BigInt(Date.now()) * 1_000_000n, fields: { level } })
    for (const rule of rules) expected.set(rule, [...(expected.get(rule) ?? []), msg])
  }
  const requests = () =>
    bodies(sink, '/hook') as unknown as readonly { readonly rule_name: string; readonly body: string }[]
  const told = async (): Promise<void> => {
    const seen = (): Map<string, string[]> => {
      const by = new Map<string, string[]>()
      for (const { rule_name, body } of requests()) by.set(rule_name, [...(by.get(rule_name) ?? []), body])
      return by
    }
    const count = [...expected.values()].flat().length
    await until(
      () => bodies(sink, '/hook').length >= count,
      () => JSON.stringify([...seen()]),
    )
    for (const [rule, messages] of expected) expect(seen().get(rule)?.sort()).toEqual([...messages].sort())
    expect(bodies(sink, '/hook')).toHaveLength(count)
  }

  const valid = await runCommand(['-c', here.config, '--validate'], { command, env: here.env })
  expect(valid.stdout).toContain('  main, shared: errors, memory, warnings\n')
  expect(valid.stdout).toContain('  main, own, its query has more than words and phrases: codes\n')
  const printed = await runCommand(['print-config', '--config', `valerter:${here.config}`], {
    command,
    env: here.env,
  })
  expect(printed.stdout).toContain('share_tail: true')

  const running = await started(here, 2)
  insert('an error', ['errors', 'codes'])
  insert('errors: Out of memory', ['memory', 'codes'])
  insert('warm', ['warnings'], 'warn')
  insert('a debug line', [], 'warn')
  insert('nothing', [])
  await told()
  expect(server.openTails).toBe(2)

  await writeFile(
    join(here.folder, 'etc/rules.d/late.yaml'),
    'late: { query: "hot or cold", parser: {}, notify: { template: plain, destinations: [hook] } }\n',
  )
  insert('an error before the reload', ['errors', 'codes'])
  running.child.kill('SIGHUP')
  insert('an error at the reload', ['errors', 'codes'])
  await running.says(/The new configuration is in force/)
  await until(() => server.openTails === 2)
  insert('cold after it', ['late'])
  insert('an error after it', ['errors', 'codes'])
  await told()

  expect((await stopped(running)).code).toBe(0)
  insert('Out of memory while it is down', ['memory'])
  insert('an error while it is down', ['errors', 'codes'])
  await started(here, 2)
  insert('cold error again', ['late', 'errors', 'codes'])
  await told()
  await until(() => server.openTails === 2)
}, 120_000)
