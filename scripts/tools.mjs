// What the tests need beyond Node: installed here where that can be done, else said.
import { spawnSync } from 'node:child_process'

const TOOLS = [
  {
    commands: [process.env.REDIS_SERVER_BIN, 'redis-server', 'valkey-server'],
    package: 'redis-server',
    why: 'state in Redis',
  },
  { commands: ['promtool'], package: 'prometheus', why: 'the rules and the dashboard over our metrics' },
  { commands: ['amtool'], package: 'prometheus-alertmanager', why: "Alertmanager's API" },
  { commands: ['logrotate'], package: 'logrotate', why: 'rotated files' },
  { commands: [process.env.CHROMIUM_BIN, 'chromium'], package: 'chromium', why: 'the dashboard' },
  { commands: ['rsyslogd'], version: '-v', package: 'rsyslog', why: 'files that rsyslog writes' },
]

export function installTools() {
  for (const tool of TOOLS) {
    if (tool.commands.some(command => command && has(command, tool.version))) continue
    const canInstall = process.getuid?.() === 0 && has('apt-get')
    if (canInstall) {
      console.log(`Installing ${tool.package} (for the tests of ${tool.why}).`)
      apt('update')
      apt('install', '-y', '--no-install-recommends', tool.package)
    }
    if (!tool.commands.some(command => command && has(command, tool.version))) {
      const hint = `Install ${tool.package} (Debian: apt-get install ${tool.package}) to run the tests of ${tool.why}`
      if (process.env.CI) {
        console.error(`${hint}.`)
        process.exit(1)
      }
      console.warn(`${hint}; they are skipped.`)
    }
  }
}

function has(command, version = '--version') {
  return spawnSync(command, [version], { stdio: 'ignore' }).status === 0
}

function apt(...args) {
  spawnSync('apt-get', ['-qq', ...args], {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
}
