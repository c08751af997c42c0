// What the cases of `npm run bench` share: CPU of processes, medians, and the rows that they report.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Of /proc/PID/stat. */
const TICK_MS = 10

export const command = resolve(import.meta.dirname, '../../../dist/commands/tocsin.js')
/** `npm run bench -- --before DIR`: a build of an earlier commit is measured beside this one. */
export const before = process.env.TOCSIN_BENCH_BEFORE
export const ROUNDS = Number(process.env.TOCSIN_BENCH_ROUNDS ?? 3)

/** A folder for one case; it goes with the process. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** User and system time of a running process so far, ms. */
export function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** The most memory that a running process had, MiB. */
export function peakMiB(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
}

/** Runs a command to its end: its CPU, ms, and its peak memory, MiB. */
export function ended(program, args, env = {}) {
  // The shell's `times` has the time of its children, the last look at /proc their memory.
  const script = `"$0" "$@" >/dev/null 2>"$BENCH_ERRORS" & pid=$!
    while kill -0 $pid 2>/dev/null; do m=$(sed -n 's/VmHWM:[^0-9]*//p' /proc/$pid/status 2>/dev/null); [ -n "$m" ] && peak=$m; sleep 0.2; done
    wait $pid; echo "code $?"; echo "peak $peak"; times`
  const errors = join(tmpdir(), `tocsin-bench-errors-${process.pid}`)
  const { stdout } = spawnSync('bash', ['-c', script, program, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env, BENCH_ERRORS: errors },
  })
  const [, code] = /code (\d+)/.exec(stdout)
  const said = readFileSync(errors, 'utf8')
  rmSync(errors)
  if (code !== '0' && !(program === 'grep' && code === '1'))
    throw new Error(`${program} left with ${code}: ${said}`)
  const children = stdout.trim().split('\n').at(-1).split(' ')
  const ms = children.reduce((sum, each) => {
    const [, minutes, seconds] = /(\d+)m([\d.]+)s/.exec(each)
    return sum + Number(minutes) * 60_000 + Number(seconds) * 1_000
  }, 0)
  return { cpuMs: ms, peakMiB: Number(/peak (\d+)/.exec(stdout)?.[1] ?? 0) / 1024 }
}

/** Starts a process and waits until it says `word` on stderr (not given: for nothing); it ends with us. */
export async function started(program, args, word) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', word ? 'pipe' : 'ignore'] })
  const kill = () => child.kill('SIGKILL')
  process.on('exit', kill)
  child.on('exit', () => process.off('exit', kill))
  if (!word) return child
  let said = ''
  await new Promise((done, failed) => {
    child.stderr.setEncoding('utf8').on('data', part => {
      said = (said + part).slice(-4_096)
      if (said.includes(word)) done()
    })
    child.on('close', () => failed(new Error(`${program} ended: ${said}`)))
  })
  return child
}

/** Waits until a process uses no CPU any more. */
export async function idle(pid) {
  for (let still = 0, last = -1; still < 5; ) {
    await sleep(100)
    const now = cpuMs(pid)
    still = now - last <= TICK_MS ? still + 1 : 0
    last = now
  }
}

export function sleep(ms) {
  return new Promise(done => setTimeout(done, ms))
}

export async function freePort() {
  const server = createServer()
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  await new Promise(done => server.close(done))
  return port
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export function isInstalled(program) {
  return spawnSync('which', [program]).status === 0
}

/**
 * A row of the tables. `own` and each of `beside` are lists of what the rounds cost (one unit, so that less is better); `to` names
 * the one that `goal` is about: the ratio is the median over the rounds, so that a slow moment of the machine is in both. `unit`: of a row
 * that has another one than its table.
 */
export function row(name, own, beside, goal) {
  const of = goal && beside[goal.to]
  const ratios = of?.map((value, round) => own[round] / value)
  return {
    name,
    own: median(own),
    spread: (Math.max(...own) - Math.min(...own)) / median(own),
    beside: Object.entries(beside).map(([who, values]) => ({ who, value: median(values) })),
    ...(ratios && { to: goal.to, ratio: median(ratios) }),
    ...(goal && { atMost: goal.atMost, unit: goal.unit }),
  }
}

/** Prints the rows of a case, and hands them to `npm run bench`. `notes`: what was skipped, and why. */
export function report({ name, unit, rows, notes = [] }) {
  console.log(tableOf({ unit, rows, notes }))
  const out = process.env.TOCSIN_BENCH_OUT
  if (out) writeFileSync(join(out, `${name}.json`), JSON.stringify({ name, unit, rows, notes }))
}

export function tableOf({ unit, rows, notes }) {
  const figure = value => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2))
  const lines = rows.map(({ name, own, spread, beside, to, ratio, atMost, unit: other }) => {
    const others = beside.map(({ who, value }) => `${who} ${figure(value)}`).join('; ')
    const shown = ratio === undefined ? '' : `${ratio.toFixed(2)} × ${to}`
    const value = ratio ?? own
    const met = atMost === undefined ? '' : value <= atMost ? 'yes' : '**no**'
    const goal = atMost === undefined ? '' : `${atMost} ${ratio === undefined ? (other ?? unit) : '×'}`
    return `| ${[name, figure(own), `${Math.round(spread * 100)} %`, others, shown, goal, met].join(' | ')} |`
  })
  return [
    `| work | Tocsin, ${unit} | spread | beside it | ratio | goal: at most | met |`,
    '| --- | ---: | ---: | --- | ---: | ---: | --- |',
    ...lines,
    ...notes.map(note => `\n${note}`),
  ].join('\n')
}
