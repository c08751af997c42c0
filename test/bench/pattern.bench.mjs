/**
 * Records per second of the match engine next to plain loops of RE2 tests and of JavaScript regular expressions,
 * by the number of rows, in one run. After `npm run build`: node test/bench/pattern.bench.mjs [seconds a cell]
 * TOCSIN_DIST names another output folder of the compiler.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import RE2 from 're2'
import { lines as linesOf, rows } from './support/lines.mjs'

const dist = process.env.TOCSIN_DIST ?? resolve(import.meta.dirname, '../../dist')
const { buildPatternSet, buildPatternSetAsync } = await import(
  pathToFileURL(resolve(dist, 'core/toolkit/pattern/index.js')).href
)

const SECONDS = Number(process.argv[2] ?? 1)
const SIZES = [1, 10, 100, 1_000, 5_000]
const LINES = 2_000
const LINE_BYTES = 208
const BATCH = 500

/** Lines per second of `work` over batches, after one batch to warm up. */
function measure(lines, work, batch = BATCH) {
  const batches = []
  for (let at = 0; at < lines.length; at += batch) batches.push(lines.slice(at, at + batch))
  work(batches[0])
  let done = 0
  const start = performance.now()
  const until = start + SECONDS * 1_000
  for (let at = 0; performance.now() < until; at++) {
    const next = batches[at % batches.length]
    work(next)
    done += next.length
  }
  return (done * 1_000) / (performance.now() - start)
}

async function column(count, share) {
  const table = rows(count)
  const texts = linesOf(LINES, LINE_BYTES, table, share)
  const buffers = texts.map(text => Buffer.from(text))
  const patterns = table.map(({ text }) => ({ text, mode: 'regex' }))
  const set = buildPatternSet(patterns)
  const re2 = table.map(({ text }) => new RE2(text, 'u'))
  const scripts = table.map(({ text }) =>
    text.startsWith('(?i)') ? new RegExp(text.slice(4), 'iu') : new RegExp(text, 'u'),
  )
  verify(set, re2, buffers.slice(0, 50))
  const loop = tests => lines => {
    let hits = 0
    for (const each of lines) for (const test of tests) if (test.test(each)) hits++
    return hits
  }
  const small = count < 1_000 ? 100 : 10
  return {
    rows: count,
    'match engine': measure(buffers, lines => set.match(lines).texts.length),
    'loop of RE2 (Buffers)': measure(buffers, loop(re2), small),
    'loop of RegExp (strings)': measure(texts, loop(scripts), small),
  }
}

function verify(set, re2, buffers) {
  const matches = set.match(buffers)
  for (const [at, buffer] of buffers.entries()) {
    const plain = re2.flatMap((test, index) => (test.test(buffer) ? [index] : []))
    if (plain.join() !== matches.of(at).join()) throw new Error(`the engine differs for: ${buffer}`)
  }
}

function show(title, columns) {
  console.log(`\n${title}\n`)
  const names = Object.keys(columns[0])
  const text = (name, value) => (name === 'rows' ? value.toLocaleString('en') : thousands(value))
  const table = [
    names,
    names.map(() => '---:'),
    ...columns.map(each => names.map(name => text(name, each[name]))),
  ]
  for (const cells of table) console.log(`| ${cells.join(' | ')} |`)
}

function thousands(perSecond) {
  return perSecond >= 10_000 ? `${Math.round(perSecond / 1_000)}k` : `${(perSecond / 1_000).toFixed(2)}k`
}

async function builds() {
  console.log('\nBuild time, and the longest time that the event loop was held while building in slices\n')
  console.log('| rows | at once, ms | in slices, ms | held, ms |\n| ---: | ---: | ---: | ---: |')
  for (const count of SIZES) {
    const patterns = rows(count).map(({ text }) => ({ text, mode: 'regex' }))
    const start = performance.now()
    buildPatternSet(patterns)
    const sliced = performance.now()
    let [last, held] = [sliced, 0]
    const watch = () => {
      held = Math.max(held, performance.now() - last)
      last = performance.now()
      timer = setImmediate(watch)
    }
    let timer = setImmediate(watch)
    await buildPatternSetAsync(patterns)
    clearImmediate(timer)
    const end = performance.now()
    const cells = [
      count.toLocaleString('en'),
      ...[sliced - start, end - sliced, held].map(ms => ms.toFixed(1)),
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

console.log(
  `Node ${process.version}, lines of ${LINE_BYTES} bytes, ${SECONDS} s a cell, lines a second on one core`,
)
await builds()
for (const [title, share] of [
  ['1 % of the lines match', 0.01],
  ['Every line matches', 1],
]) {
  const columns = []
  for (const count of SIZES) columns.push(await column(count, share))
  show(title, columns)
}
