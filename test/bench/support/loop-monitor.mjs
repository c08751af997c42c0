// Imported into a process that is measured: on SIGUSR2 it says how long its event loop was held up since the last time. What counts is the CPU
// time of the main thread from one turn to the next: what others do on the machine is not in it.
import { openSync, readSync } from 'node:fs'
import { createHistogram } from 'node:perf_hooks'

const schedstat = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r')
const buffer = Buffer.alloc(64)
const held = createHistogram()
let last = cpuNs()
setInterval(() => {
  const now = cpuNs()
  held.record(Math.max(1, now - last))
  last = now
}, 1).unref()
process.on('SIGUSR2', () => {
  process.stderr.write(`\nloop ${held.percentile(99) / 1e6} ${held.max / 1e6} ${process.memoryUsage().rss}\n`)
  held.reset()
})

function cpuNs() {
  return Number(
    buffer.toString('latin1', 0, readSync(schedstat, buffer, 0, buffer.length, 0)).split(' ', 1)[0],
  )
}
