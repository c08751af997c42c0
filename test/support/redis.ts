import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.js'

/** A real Redis of this test, on a free port of 127.0.0.1, with its files in a temporary folder. */
export interface TestRedis {
  readonly endpoint: string
  readonly port: number
  readonly pid: number
  /** Runs redis-cli with the credentials of the server and answers what it prints. */
  cli(...args: string[]): string
  signal(signal: NodeJS.Signals): void
  /** Kills it and starts it again, empty, on the same port. */
  restart(): Promise<void>
  kill(): Promise<void>
  stop(): Promise<void>
}

export interface TestCluster {
  readonly endpoints: string[]
  readonly nodes: readonly TestRedis[]
  stop(): Promise<void>
}

interface RedisStart {
  /** A configuration file, which a sentinel needs. */
  readonly config?: string
  readonly args?: readonly string[]
  /** For redis-cli. */
  readonly cliArgs?: readonly string[]
}

const running = new Set<ChildProcess>()
const folders = new Set<string>()
let cleansUp = false

/**
 * The redis-server to test with: `REDIS_SERVER_BIN`, else redis-server or valkey-server on the PATH, else installed
 * with apt as root. Undefined when there is none: tests that need it skip, saying so. With CI=true that fails.
 */
export function redisServerBinary(): string | undefined {
  const found = findBinary() ?? (install() ? findBinary() : undefined)
  if (!found && process.env.CI === 'true') {
    throw new Error(
      'Tests need redis-server: install it (apt-get install redis-server) or set REDIS_SERVER_BIN.',
    )
  }
  if (!found)
    console.warn('Skipped: no redis-server. Install it, or set REDIS_SERVER_BIN, to run these tests.')
  return found
}

export async function startRedis({ config, args = [], cliArgs = [] }: RedisStart = {}): Promise<TestRedis> {
  const binary = redisServerBinary()
  if (!binary) throw new Error('There is no redis-server.')
  const folder = temporaryFolder()
  let port = await freePort()
  const start = (): Promise<ChildProcess> => launch(binary, port, folder, config, args)
  // Another test may have taken the port meanwhile.
  let child = await start().catch(async () => {
    port = await freePort()
    return start()
  })
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }
  return {
    endpoint: `127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid as number
    },
    cli: (...command) => cli(binary, ['-p', `${port}`, ...cliArgs, ...command]),
    signal: signal => void child.kill(signal),
    restart: async () => {
      await kill()
      child = await start()
    },
    kill,
    stop: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
      folders.delete(folder)
    },
  }
}

/** Three masters, each with as many replicas as asked for. */
export async function startCluster({ replicas = 0 } = {}): Promise<TestCluster> {
  const nodes: TestRedis[] = []
  for (let node = 0; node < 3 * (1 + replicas); node++) {
    const busPort = await freePort()
    const args = [
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      `${busPort}`,
      '--cluster-node-timeout',
      '1000',
    ]
    nodes.push(await startRedis({ args }))
  }
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map(node => node.stop()))
  }
  try {
    const endpoints = nodes.map(({ endpoint }) => endpoint)
    const first = nodes[0] as TestRedis
    first.cli('--cluster', 'create', ...endpoints, '--cluster-replicas', `${replicas}`, '--cluster-yes')
    const deadline = Date.now() + 60_000
    const ready = (): boolean => {
      if (!nodes.every(node => node.cli('cluster', 'info').includes('cluster_state:ok'))) return false
      // A replica that has not caught up would not take over.
      const inSync = nodes.filter(node => node.cli('info', 'replication').includes('master_link_status:up'))
      return inSync.length === 3 * replicas
    }
    while (!ready()) {
      if (Date.now() > deadline) throw new Error('The cluster was not ready within 60 s.')
      await sleep(50)
    }
    return { endpoints, nodes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function launch(
  binary: string,
  port: number,
  folder: string,
  config: string | undefined,
  args: readonly string[],
): Promise<ChildProcess> {
  cleanUpAtExit()
  const own = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  const child = spawn(binary, [...(config ? [config] : []), ...own, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  let output = ''
  child.stdout?.on('data', data => {
    output = (output + data).slice(-4_000)
  })
  child.stderr?.on('data', data => {
    output = (output + data).slice(-4_000)
  })
  const deadline = Date.now() + 60_000
  while (
    !(await accepts(args.includes('--tls-port') ? Number(args[args.indexOf('--tls-port') + 1]) : port))
  ) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`redis-server did not start on port ${port}:\n${output}`)
    }
    await sleep(10)
  }
  return child
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function cli(server: string, args: readonly string[]): string {
  clis[server] ??= cliOf(server)
  return execFileSync(clis[server], args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Asked once: tests wait in loops for what redis-cli says. */
const clis: { [server: string]: string } = {}

function cliOf(server: string): string {
  const beside = server.replace(/(redis|valkey)-server$/, '$1-cli')
  return spawnSync(beside, ['--version']).status === 0 ? beside : 'redis-cli'
}

function findBinary(): string | undefined {
  const named = process.env.REDIS_SERVER_BIN
  const candidates = named ? [named] : ['redis-server', 'valkey-server']
  return candidates.find(candidate => spawnSync(candidate, ['--version']).status === 0)
}

function install(): boolean {
  if (process.getuid?.() !== 0 || process.env.REDIS_SERVER_BIN) return false
  // Debian starts what it installs; a test's server is started by the test.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'redis-server']]) {
    if (
      spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], { env, stdio: 'ignore' }).status !== 0
    ) {
      return false
    }
  }
  return true
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-redis-'))
  folders.add(folder)
  return folder
}

/** Nothing stays behind when a test run is broken off. */
function cleanUpAtExit(): void {
  if (cleansUp) return
  cleansUp = true
  process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL')
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
