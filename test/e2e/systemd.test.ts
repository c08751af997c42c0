import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startCommand } from '../support/command.js'

/** As systemd does: prints the datagrams that come to a unix socket. Node cannot listen on one. */
const LISTENER = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listening', flush=True)
while True:
    data, fds, _, _ = socket.recv_fds(s, 4096, 8)
    for fd in fds: os.close(fd)
    print(data.decode().replace('\\n', ' '), flush=True)
`
const AVAILABLE = ['systemd-notify', 'python3'].every(tool => !spawnSync(tool, ['--version']).error)

test.skipIf(!AVAILABLE)(
  'systemd is told of start, reload, watchdog and end (needs systemd-notify and python3)',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
    const socket = join(folder, 'notify')
    const listener = spawn('python3', ['-c', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
    let heard = ''
    listener.stdout.on('data', chunk => {
      heard += chunk
    })
    const hears = async (pattern: RegExp): Promise<void> => {
      for (let tries = 0; !pattern.test(heard); tries++) {
        if (tries > 1_000) throw new Error(`Not heard ${pattern}: ${heard}`)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
    }
    const config = join(folder, 'tocsin.yaml')
    await writeFile(
      config,
      `
receivers: { demo_logs: {} }
exporters: { file: { path: out.jsonl } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { logs: { receivers: [demo_logs], exporters: [file] } }
`,
    )
    await hears(/listening/)
    const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' }
    const collector = startCommand(['--config', config], { env })
    await hears(/^READY=1 STATUS=Running$/m)
    await hears(/^WATCHDOG=1$/m)
    collector.child.kill('SIGHUP')
    await hears(/^RELOADING=1 MONOTONIC_USEC=\d+ STATUS=.*\n(.*\n)*READY=1 STATUS=Running$/m)
    await writeFile(config, 'nonsense')
    collector.child.kill('SIGHUP')
    await hears(/^READY=1 STATUS=Running with the old configuration/m)
    collector.child.kill('SIGTERM')
    await hears(/^STOPPING=1 STATUS=Draining$/m)
    const { code, stderr } = await collector.finished
    expect({ code, told: /could not be told/.test(stderr) }).toEqual({ code: 0, told: false })
    listener.kill()
    await rm(folder, { recursive: true, force: true })
  },
)
