// Imported into a process that is measured: on SIGUSR2 it says how late its event loop was since the last time.
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** A timer of so many ms measures, and its time is part of what it finds. */
const RESOLUTION = 1
const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
delay.enable()
process.on('SIGUSR2', () => {
  const ms = ns => Math.max(0, ns / 1e6 - RESOLUTION)
  process.stderr.write(`\nloop ${ms(delay.percentile(99))} ${ms(delay.max)} ${process.memoryUsage().rss}\n`)
  delay.reset()
})
