// Lines of a file against 1 to 5,000 rules, beside syslog-ng, rsyslog and grep on the same file: `npm run bench -- --case file`.
import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { configOf, lines, rows, tableOf } from './support/lines.mjs'
import {
  before,
  command,
  cpuMs,
  ended,
  idle,
  isInstalled,
  ROUNDS,
  report,
  row,
  sleep,
  started,
  temporaryFolder,
} from './support/measure.mjs'

const LINES = 300_000
const LINE_BYTES = 216
const MATCHING = 0.01
const BLOCK = 20_000
/** syslog-ng tries one rule after another: with many it gets fewer lines, and none with very many. */
const PEER_LINES = { 1: 100_000, 10: 100_000, 1000: 4_000 }

const folder = temporaryFolder()
const result = []
const memory = []
const notes = []
if (!isInstalled('syslog-ng'))
  notes.push('syslog-ng is not installed: its column is missing (`apt-get install syslog-ng-core`).')

for (const count of [1, 10, 1_000, 5_000]) {
  const table = rows(count)
  const block = `${lines(BLOCK, LINE_BYTES, table, MATCHING).join('\n')}\n`
  writeLines(join(folder, 'in.log'), block, LINES)
  writeFileSync(join(folder, 'empty.log'), '')
  writeFileSync(join(folder, 'alerts.csv'), tableOf(table))
  writeFileSync(join(folder, 'patterns'), `${table.map(({ text }) => asExtended(text)).join('\n')}\n`)
  const [full, empty] = ['in', 'empty'].map(name => written(name))
  const cost = { own: [], before: [], grep: [], 'syslog-ng': [] }
  const peaks = []
  for (let round = 0; round < ROUNDS; round++) {
    const own = collector(command, full, empty)
    cost.own.push(own.us)
    peaks.push(own.peakMiB)
    if (before) cost.before.push(collector(before, full, empty).us)
    const grep = ended('grep', ['-E', '-f', join(folder, 'patterns'), join(folder, 'in.log')])
    cost.grep.push((grep.cpuMs * 1_000) / LINES)
    if (PEER_LINES[count] && isInstalled('syslog-ng')) {
      cost['syslog-ng'].push(await syslogNg(table, block, PEER_LINES[count]))
    }
  }
  const { own, ...others } = cost
  const beside = Object.fromEntries(Object.entries(others).filter(([, values]) => values.length > 0))
  const to = count === 5_000 ? 'grep' : 'syslog-ng'
  const goal = count === 1_000 || !beside[to] ? undefined : { to, atMost: 1 }
  result.push(row(`${count.toLocaleString('en')} rules`, own, beside, goal))
  if (count === 1_000)
    memory.push(row('peak memory at 1,000 rules, MiB', peaks, {}, { atMost: 130, unit: 'MiB' }))
}
const [one, , , many] = result
result.push(row('5,000 rules beside 1', [many.own], { '1 rule': [one.own] }, { to: '1 rule', atMost: 1.3 }))
report({ name: 'file', unit: 'µs a line', rows: [...result, ...memory], notes })

/** CPU a line net of the start, and the peak of memory. */
function collector(program, full, empty) {
  const start = ended(process.execPath, [program, '--config', empty]).cpuMs
  const { cpuMs: all, peakMiB } = ended(process.execPath, [program, '--config', full])
  return { us: ((all - start) * 1_000) / LINES, peakMiB }
}

async function syslogNg(table, block, count) {
  const path = name => join(folder, name)
  writeLines(path('peer.log'), block, count, 'THE END\n')
  const tests = [...table.map(({ text }) => text), '^THE END$'].map(
    text => `match('${text.replaceAll("'", "\\'")}' value('MESSAGE'))`,
  )
  writeFileSync(
    path('peer.conf'),
    `@version: 3.35
options { stats-freq(0); };
source s { file("${path('peer.log')}" follow-freq(0.1) flags(no-parse) read-old-records(yes) log-fetch-limit(1000)); };
filter f { ${tests.join(' or\n')} };
destination d { file("${path('peer.out')}" template("$MESSAGE\\n")); };
log { source(s); filter(f); destination(d); };
`,
  )
  for (const name of ['peer.out', 'persist']) writeFileSync(path(name), '')
  const args = [
    '-F',
    '-e',
    '-v',
    '-f',
    path('peer.conf'),
    '-R',
    path(`persist-${Date.now()}`),
    '-c',
    path('ctl'),
    '-p',
    path('pid'),
    '--no-caps',
  ]
  const child = await started('syslog-ng', args, 'syslog-ng starting up')
  const done = () =>
    existsSync(path('peer.out')) && readFileSync(path('peer.out'), 'utf8').includes('THE END')
  for (let tries = 0; !done() && tries < 600; tries++) await sleep(100)
  await idle(child.pid)
  const ms = cpuMs(child.pid)
  child.removeAllListeners('close')
  child.kill('SIGTERM')
  await new Promise(gone => child.once('exit', gone))
  return (ms * 1_000) / count
}

function writeLines(path, block, count, last = '') {
  const blockLines = block.split('\n')
  const file = openSync(path, 'w')
  for (let at = 0; at < count; at += BLOCK) {
    writeSync(file, count - at >= BLOCK ? block : `${blockLines.slice(0, count - at).join('\n')}\n`)
  }
  writeSync(file, last)
  closeSync(file)
}

/** A pattern as grep -E reads it. */
function asExtended(text) {
  return text.replace('(?i)', '').replaceAll('(?:', '(').replaceAll('\\d', '[0-9]')
}

function written(name) {
  const file = join(folder, `${name}.yaml`)
  writeFileSync(file, configOf(`${name}.log`))
  return file
}
