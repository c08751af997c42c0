// The dashboard's first paint on localhost, cold (nothing cached): `npm run bench -- page`, with `--before FILE` beside
// another build, in turn. Promised: under 300 ms.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium } from 'playwright-core'

const LOADS = 15
const before = process.env.TOCSIN_BENCH_BEFORE
const programs = {
  now: resolve(import.meta.dirname, '../../dist/commands/tocsin.js'),
  ...(before && { before: resolve(before) }),
}
const executablePath = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium'
const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-page-'))
const config = join(folder, 'tocsin.yaml')
writeFileSync(
  config,
  `receivers: { stdin: }
exporters: { debug: }
extensions: { alert_history: , dashboard: { endpoint: '127.0.0.1:0' } }
service:
  extensions: [alert_history, dashboard]
  telemetry: { metrics: { address: '127.0.0.1:0' } }
  pipelines: { logs: { receivers: [stdin], exporters: [debug] } }
`,
  { mode: 0o600 },
)

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
const collectors = []
const seen = {}
for (const [who, program] of Object.entries(programs)) {
  const collector = await start(program)
  collectors.push(collector)
  seen[who] = { url: collector.url, loads: [] }
  // The first one is the browser's and the collector's own warming up.
  await load(collector.url)
}
// In turn, so that a machine that becomes slower does so for both.
for (let round = 0; round < LOADS; round++)
  for (const { url, loads } of Object.values(seen)) loads.push(await load(url))
console.log('| build | first paint, median | worst | first content, median | worst |')
console.log('| --- | ---: | ---: | ---: | ---: |')
for (const [who, { loads }] of Object.entries(seen)) {
  const figures = ['first-paint', 'first-contentful-paint'].flatMap(name => {
    const all = loads.map(paints => paints[name]).sort((a, b) => a - b)
    return [all[Math.floor(LOADS / 2)], all.at(-1)].map(ms => `${ms.toFixed(0)} ms`)
  })
  console.log(`| ${[who, ...figures].join(' | ')} |`)
}
for (const { child } of collectors) child.kill('SIGTERM')
await browser.close()
rmSync(folder, { recursive: true })

/** A collector with the page, and its address. */
function start(program) {
  const child = spawn(process.execPath, [program, '--config', config], { stdio: ['pipe', 'ignore', 'pipe'] })
  let told = ''
  return new Promise((done, failed) => {
    child.on('exit', code => failed(new Error(`${program} left with ${code}: ${told}`)))
    child.stderr.on('data', data => {
      told += data
      const url = /The dashboard: (http\S+\/)/.exec(told)?.[1]
      if (url && /is running/.test(told)) done({ child, url })
    })
  })
}

/** When the page was painted, in ms after it was asked for. */
async function load(url) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  await page.goto(url)
  let paints = []
  while (paints.length < 2)
    paints = await page.evaluate(() =>
      performance.getEntriesByType('paint').map(({ name, startTime }) => [name, startTime]),
    )
  await context.close()
  return Object.fromEntries(paints)
}
