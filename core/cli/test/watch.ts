import { type FSWatcher, watch as watchFolder } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { systemClock } from '../../service/clock.js'
import type { CommandIo } from '../io.js'

const SETTLE_MS = 150
const OURS = /(^|\/)(node_modules|\.git)\/|\.snap\.json$|\.xml$/

/** Runs the tests, and again whenever a file beside or below them changes, until a signal. `written`: by the runs themselves. */
export async function watch(
  names: readonly string[],
  once: () => Promise<number>,
  io: CommandIo,
  written?: string,
): Promise<number> {
  const ours = written && resolve(io.cwd, written)
  const folders = new Set<string>()
  for (const name of names.length === 0 ? ['.'] : names) {
    const path = resolve(io.cwd, name)
    const entry = await stat(path).catch(() => undefined)
    folders.add(entry?.isDirectory() ? path : dirname(path))
  }
  let change = (): void => undefined
  let changed = false
  const watchers = [...folders].map(
    (folder): FSWatcher =>
      watchFolder(folder, { recursive: true }, (_, file) => {
        if (file !== null && (OURS.test(file.toString()) || resolve(folder, file.toString()) === ours)) return
        changed = true
        change()
      }),
  )
  let stopped = false
  const stop = (): void => {
    stopped = true
    change()
  }
  const signals = (['SIGINT', 'SIGTERM'] as const).map(signal => io.onSignal(signal, stop))
  // The clock's timers do not keep the process.
  let code = 0
  while (!stopped) {
    changed = false
    code = await once().catch(error => {
      io.stderr.write(`${(error as Error).message}\n`)
      return 1
    })
    io.stdout.write('\nWaiting for changes; Ctrl+C ends.\n')
    while (!changed && !stopped) {
      await new Promise<void>(resolve => {
        change = resolve
      })
    }
    if (!stopped) await systemClock.sleep(SETTLE_MS)
  }
  for (const watcher of watchers) watcher.close()
  for (const off of signals) off()
  return code
}
