// `npm start`: the demonstration. `npm start -- ARGUMENTS`: the tocsin command with these arguments.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const args = process.argv.slice(2)
const child = spawn(
  process.execPath,
  ['--enable-source-maps', 'dist/distributions/full/bin.js', ...(args.length > 0 ? args : ['demo'])],
  { stdio: 'inherit' },
)
// A terminal sends Ctrl+C to both processes; the child decides what it means.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  })
}
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0)
})
