// What a start costs, beside a build of the commit that issue 8 was measured on, in one run: `npm run bench -- start`,
// with `--before FILE` for a build that is there already.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const BEFORE = '4890fdb'
const ROUNDS = 5
const IDLE_MS = 2_000

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-start-'))
const now = join(root, 'dist/commands/tocsin.js')
const given = process.env.TOCSIN_BENCH_BEFORE
const before = given ?? buildOf(BEFORE)

const files = writeConfigs()
const rows = [
  ['--version', ['--version'], 'cpu', 1 / 8],
  ["validate, README's ssh.yaml", ['validate', '--config', files.ssh], 'cpu', 1 / 3],
  ['start to ready, stdin -> debug', ['--config', files.plain], 'ready', 1 / 3, 75],
  ['the same with a table of 1,000 rows', ['--config', files.table], 'ready', 1 / 3, 95],
]
console.log('| work | CPU now | CPU before | ratio | at most | idle memory now | before | at most |')
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |')
for (const [name, args, kind, most, mib] of rows) {
  const seen = { now: [], before: [] }
  // In turn, so that a machine that becomes slower does so for both.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [who, program] of Object.entries({ now, before })) {
      seen[who].push(kind === 'cpu' ? ended(program, args) : await ready(program, args))
    }
  }
  const cpu = who => median(seen[who].map(each => each.cpuMs))
  const idle = who => (mib ? `${median(seen[who].map(each => each.idleMiB)).toFixed(0)} MiB` : '')
  const figures = [cpu('now'), cpu('before')].map(ms => `${ms.toFixed(0)} ms`)
  const ratio = (cpu('now') / cpu('before')).toFixed(3)
  console.log(
    `| ${[name, ...figures, ratio, most.toFixed(3), idle('now'), idle('before'), mib ? `${mib} MiB` : ''].join(' | ')} |`,
  )
}
if (!given) execFileSync('git', ['worktree', 'remove', '--force', join(folder, 'before')], { cwd: root })
rmSync(folder, { recursive: true, force: true })

/** A build of another commit, with the packages of this one. */
function buildOf(commit) {
  const tree = join(folder, 'before')
  execFileSync('git', ['worktree', 'add', '--detach', tree, commit], { cwd: root, stdio: 'ignore' })
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  execFileSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
    {
      cwd: tree,
      stdio: 'inherit',
    },
  )
  return join(tree, 'dist/distributions/full/bin.js')
}

/** CPU of a command that ends by itself. */
function ended(program, args) {
  const { stdout } = spawnSync(
    'sh',
    ['-c', '"$0" "$@" >/dev/null 2>&1; times', process.execPath, program, ...args],
    {
      encoding: 'utf8',
      env: { ...process.env, MATTERMOST_WEBHOOK: 'https://127.0.0.1:1/hooks/x' },
    },
  )
  // The second line of `times` is that of the children: user and system, such as 0m0.123s 0m0.045s.
  const children = stdout.trim().split('\n').at(-1).split(' ')
  const cpuMs = children.reduce((sum, each) => {
    const [, minutes, seconds] = /(\d+)m([\d.]+)s/.exec(each)
    return sum + Number(minutes) * 60_000 + Number(seconds) * 1_000
  }, 0)
  return { cpuMs }
}

/** CPU of a collector until it says that it runs, and its memory a while after. */
async function ready(program, args) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'ignore', 'pipe'] })
  let told = ''
  await new Promise((done, failed) => {
    child.stderr.on('data', data => {
      told += data
      if (/is running/.test(told)) done()
    })
    child.on('exit', code => failed(new Error(`${program} left with ${code}: ${told}`)))
  })
  const [, user, system] = /\) \S(?: \S+){10} (\d+) (\d+)/.exec(
    readFileSync(`/proc/${child.pid}/stat`, 'utf8'),
  )
  await new Promise(done => setTimeout(done, IDLE_MS))
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
  child.removeAllListeners('exit')
  child.kill('SIGKILL')
  return { cpuMs: (Number(user) + Number(system)) * 10, idleMiB: Number(kib) / 1024 }
}

function writeConfigs() {
  const [, ssh] = /```yaml\n(# ssh\.yaml[\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))
  const service = processors =>
    `service: { telemetry: { metrics: { address: '127.0.0.1:0' } }, pipelines: { logs: { receivers: [stdin], processors: [${processors}], exporters: [debug] } } }\n`
  const rows = Array.from(
    { length: 1_000 },
    (_, n) => `service${n} refused code=${n},service${n} recovered,Service ${n},critical,immediate`,
  )
  const header = 'alert_pattern,recovery_pattern,normalized_message,severity,alert_schema'
  writeFileSync(join(folder, 'rows.csv'), `${[header, ...rows].join('\n')}\n`)
  const table = 'processors: { stateful_alert: { lookup_table: { location: rows.csv } } }\n'
  const texts = {
    ssh,
    plain: `receivers: { stdin: }\nexporters: { debug: }\n${service('')}`,
    table: `receivers: { stdin: }\nexporters: { debug: }\n${table}${service('stateful_alert')}`,
  }
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => {
      const file = join(folder, `${name}.yaml`)
      writeFileSync(file, text, { mode: 0o600 })
      return [name, file]
    }),
  )
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}
