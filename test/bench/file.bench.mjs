// Lines of a file against 1 to 5,000 rules, beside syslog-ng, rsyslog and grep on the same file: `npm run bench -- --case file`.
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
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
/** The peers try one rule after another: with many they get fewer lines, and none with very many. */
const PEER_LINES = { 1: 100_000, 10: 50_000, 1000: 2_000 }
const PEERS = {
  'syslog-ng': { program: 'syslog-ng', package: 'syslog-ng-core', measure: syslogNg },
  rsyslog: { program: 'rsyslogd', package: 'rsyslog', measure: rsyslog },
}

const folder = temporaryFolder()
const result = []
const memory = []
const notes = []
const peers = Object.keys(PEERS).filter(name => isInstalled(PEERS[name].program))
for (const name of Object.keys(PEERS)) {
  if (!peers.includes(name))
    notes.push(
      `${name} is not installed: it is missing (\`apt-get install ${PEERS[name].package}\`, which of these two takes one).`,
    )
}

for (const count of [1, 10, 1_000, 5_000]) {
  const table = rows(count)
  const block = `${lines(BLOCK, LINE_BYTES, table, MATCHING).join('\n')}\n`
  writeLines(join(folder, 'in.log'), block, LINES)
  writeFileSync(join(folder, 'empty.log'), '')
  writeFileSync(join(folder, 'alerts.csv'), tableOf(table))
  writeFileSync(join(folder, 'patterns'), `${table.map(({ text }) => asExtended(text)).join('\n')}\n`)
  const [full, empty] = ['in', 'empty'].map(name => written(name))
  const cost = { own: [], before: [], grep: [], 'syslog-ng': [], rsyslog: [] }
  const peaks = []
  const starts = {}
  for (let round = 0; round < ROUNDS; round++) {
    const own = collector(command, full, empty, starts)
    cost.own.push(own.us)
    peaks.push(own.peakMiB)
    if (before) cost.before.push(collector(before, full, empty, starts).us)
    const grep = ended('grep', ['-E', '-f', join(folder, 'patterns'), join(folder, 'in.log')])
    cost.grep.push((grep.cpuMs * 1_000) / LINES)
    if (PEER_LINES[count]) {
      writeLines(join(folder, 'peer.log'), block, PEER_LINES[count], 'THE END\n')
      for (const name of peers) cost[name].push(await PEERS[name].measure(table, PEER_LINES[count]))
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

/** CPU a line net of the start with the same rules, and the peak of memory. */
function collector(program, full, empty, starts) {
  starts[program] ??= ended(process.execPath, [program, '--config', empty]).cpuMs
  const start = starts[program]
  const { cpuMs: all, peakMiB } = ended(process.execPath, [program, '--config', full])
  return { us: ((all - start) * 1_000) / LINES, peakMiB }
}

function syslogNg(table, count) {
  const tests = [...table.map(({ text }) => text), '^THE END$'].map(
    text => `match('${text.replaceAll("'", "\\'")}' value('MESSAGE'))`,
  )
  const conf = `@version: 3.35
options { stats-freq(0); };
source s { file("${inFolder('peer.log')}" follow-freq(0.1) flags(no-parse) read-old-records(yes) log-fetch-limit(1000)); };
filter f { ${tests.join(' or\n')} };
destination d { file("${inFolder('peer.out')}" template("$MESSAGE\\n")); };
log { source(s); filter(f); destination(d); };
`
  const files = ['-R', inFolder('persist'), '-c', inFolder('ctl'), '-p', inFolder('pid')]
  return peer('syslog-ng', conf, ['-F', '-f', inFolder('peer.conf'), ...files, '--no-caps'], count)
}

function rsyslog(table, count) {
  const tests = [...table.map(({ text }) => text), '^THE END$'].map(text => {
    const pattern = asExtended(text).replaceAll('\\', '\\\\').replaceAll("'", "\\'")
    return `if ${text.startsWith('(?i)') ? 're_match_i' : 're_match'}($msg, '${pattern}') then { call out stop }`
  })
  const conf = `global(workDirectory="${folder}")
module(load="imfile" mode="polling" pollingInterval="1")
template(name="line" type="string" string="%msg%\\n")
ruleset(name="out") { action(type="omfile" file="${inFolder('peer.out')}" template="line") }
ruleset(name="in") {
${tests.join('\n')}
}
input(type="imfile" file="${inFolder('peer.log')}" tag="bench:" ruleset="in" freshStartTail="off")
`
  return peer('rsyslogd', conf, ['-n', '-f', inFolder('peer.conf'), '-i', inFolder('pid')], count)
}

/** CPU a line of a program that copies from peer.log to peer.out what matches, the last line too. */
async function peer(program, conf, args, count) {
  for (const name of readdirSync(folder)) if (/persist|imfile-state/.test(name)) rmSync(inFolder(name))
  writeFileSync(inFolder('peer.conf'), conf)
  writeFileSync(inFolder('peer.out'), '')
  const child = await started(program, args)
  const done = () => readFileSync(inFolder('peer.out'), 'utf8').includes('THE END')
  for (let tries = 0; !done(); tries++) {
    if (tries === 200 || child.exitCode !== null) throw new Error(`${program} did not come to the last line.`)
    await sleep(100)
  }
  await idle(child.pid)
  const ms = cpuMs(child.pid)
  child.kill('SIGTERM')
  await new Promise(gone => child.once('exit', gone))
  return (ms * 1_000) / count
}

function inFolder(name) {
  return join(folder, name)
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
