import { spawn } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../support/shared.js'
import { bodies, ends, FIXTURES, until, world } from '../support/valerter-world.js'

/** The commands of the README, but for the installation. */
async function commands(): Promise<readonly string[]> {
  const readme = await readFile(join(ROOT, 'distributions/valerter/README.md'), 'utf8')
  const [, block = ''] = /## The five commands of a migration\n\n```sh\n([\s\S]*?)```/.exec(readme) ?? []
  const lines = block.split('\n').filter(line => line !== '')
  expect(lines).toHaveLength(5)
  return lines.slice(1)
}

test('the five commands of a migration, in a fresh folder', async () => {
  const here = await world(join(FIXTURES, 'v2'))
  const { folder, server, sink, env } = here
  // A secret that is a variable and nothing else is printed as one; what is one in part has to be filled in.
  for (const [file, from, to] of [
    ['config.yaml', '${SINK}/chat', '${MATTERMOST_WEBHOOK}'],
    ['notifiers.d/more.yml', '${SINK}/hook', '${HOOK_URL}'],
    ['notifiers.d/more.yml', '${SINK}/own', '${SINK}'],
    ['notifiers.d/more.yml', '"token": "${TOKEN}", ', ''],
  ] as const) {
    const path = join(folder, 'etc', file)
    const text = await readFile(path, 'utf8')
    expect(text).toContain(from)
    await writeFile(
      path,
      text.replace(from, () => to),
    )
  }
  const bin = join(folder, 'bin')
  await mkdir(bin)
  const script = async (name: string, text: string) => {
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`)
    await chmod(join(bin, name), 0o755)
  }
  for (const name of ['tocsin', 'tocsin-valerter'])
    await script(name, `exec "${process.execPath}" "${join(ROOT, `dist/commands/${name}.js`)}" "$@"`)
  await script('systemctl', `echo "$@" >> "${join(folder, 'systemctl')}"`)

  const shell = (line: string) => {
    const child = spawn('sh', ['-c', line.replaceAll('/etc/valerter', join(folder, 'etc'))], {
      cwd: folder,
      detached: true,
      env: { PATH: `${bin}:${process.env.PATH}`, ...env },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    let running = true
    const finished = new Promise<number | null>(resolve =>
      child.on('close', code => {
        running = false
        resolve(code)
      }),
    )
    const kill = (signal: NodeJS.Signals): void => {
      if (running && child.pid !== undefined) process.kill(-child.pid, signal)
    }
    ends.push(async () => {
      kill('SIGKILL')
      await finished
    })
    return { finished, kill, output: () => output }
  }
  const oom = (process: string): void => {
    const time = BigInt(Date.now()) * 1_000_000n
    const fields = { host: 'web-1' } as never
    server.insert({ msg: `Killed process 1 (${process})`, time, stream: { process }, fields })
  }
  const told = (): readonly string[] => bodies(sink, '/hook').map(({ body }) => String(body))

  const [validate, run, print, runOwn] = (await commands()) as [string, string, string, string]
  const checked = shell(validate)
  expect([await checked.finished, checked.output()]).toEqual([
    0,
    expect.stringContaining('Configuration is valid.'),
  ])

  const first = shell(run)
  await until(
    () => server.openTails >= 3,
    () => first.output(),
  )
  expect(await readFile(join(folder, 'systemctl'), 'utf8')).toBe('stop valerter\n')
  oom('java')
  await sink.waitFor(1, '/hook')
  first.kill('SIGTERM')
  await first.finished

  const printed = shell(print)
  expect([await printed.finished, printed.output()]).toEqual([0, ''])
  const text = await readFile(join(folder, 'tocsin.yaml'), 'utf8')
  expect(text).not.toMatch(/s3cret|REDACTED/)

  await until(() => server.openTails === 0)
  const second = shell(runOwn)
  await until(
    () => server.openTails >= 3,
    () => second.output(),
  )
  // The throttle of the rule goes on: one a process in five minutes.
  oom('java')
  oom('perl')
  await sink.waitFor(2, '/hook')
  second.kill('SIGTERM')
  await second.finished
  expect(told()).toEqual(['Killed process 1 (java)', 'Killed process 1 (perl)'])
  expect(second.output()).not.toContain('s3cret')
})
