import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Program {
  readonly path: string
  remove(): Promise<void>
}

/**
 * Bundles a TypeScript program so that a child process can run it: for tests that kill a process. npm packages stay
 * outside of the bundle, which is therefore placed where they are found, in the ignored folder of builds.
 */
export async function bundleProgram(entry: string): Promise<Program> {
  await mkdir(join(ROOT, 'dist'), { recursive: true })
  const outDir = await mkdtemp(join(ROOT, 'dist', 'test-program-'))
  await build({
    root: ROOT,
    configFile: join(ROOT, 'vitest.config.ts'),
    logLevel: 'error',
    build: {
      ssr: entry,
      outDir,
      emptyOutDir: true,
      minify: false,
      rollupOptions: { output: { entryFileNames: 'program.mjs' } },
    },
  })
  return { path: join(outDir, 'program.mjs'), remove: () => rm(outDir, { recursive: true, force: true }) }
}

/** Starts a bundled program; `lines` gets what it prints. */
export function startProgram(
  program: Program,
  args: readonly string[],
  lines: (line: string) => void,
): ChildProcess {
  const child = spawn(process.execPath, [program.path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let rest = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() as string
    for (const line of parts) lines(line)
  })
  return child
}
