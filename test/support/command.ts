import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './shared.js'

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
  /** What it has printed so far. */
  output(): { stdout: string; stderr: string }
  /** Resolves when its output (either stream) matches; rejects when it ends before, or after 60 s (`patienceMs`). */
  says(pattern: RegExp, patienceMs?: number): Promise<void>
}

export interface CommandOptions {
  readonly env?: { readonly [name: string]: string }
  readonly cwd?: string
  readonly input?: string
  /** Another command than `tocsin`. */
  readonly command?: string
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts the built `tocsin` command, as a user does. */
export function startCommand(
  args: readonly string[],
  { env = {}, cwd, input, command = 'tocsin' }: CommandOptions = {},
): Running {
  const child = spawn(process.execPath, [join(ROOT, `dist/commands/${command}.js`), ...args], {
    cwd: cwd ?? ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  running.add(child)
  const output = { stdout: '', stderr: '' }
  const listeners = new Set<() => void>()
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
      for (const listener of listeners) listener()
    })
  }
  child.stdin.on('error', () => {})
  if (input !== undefined) child.stdin.end(input)
  const finished = new Promise<Finished>(resolve => {
    child.on('close', (code, signal) => {
      running.delete(child)
      resolve({ code, signal, ...output })
      for (const listener of listeners) listener()
    })
  })
  return {
    child,
    finished,
    output: () => output,
    says: (pattern, patienceMs = 60_000) =>
      new Promise((resolve, reject) => {
        const done = (act: () => void): void => {
          clearTimeout(timer)
          listeners.delete(look)
          act()
        }
        const fail = (why: string): void => {
          done(() => reject(new Error(`${why} ${pattern}:\n${output.stdout}\n${output.stderr}`)))
        }
        const timer = setTimeout(() => fail(`In ${patienceMs / 1_000} s it did not say`), patienceMs)
        const look = (): void => {
          if (pattern.test(output.stdout) || pattern.test(output.stderr)) done(resolve)
          else if (!running.has(child)) fail('It ended without saying')
        }
        listeners.add(look)
        look()
      }),
  }
}

/** Runs the built `tocsin` command to its end. */
export function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  return startCommand(args, { input: '', ...options }).finished
}
