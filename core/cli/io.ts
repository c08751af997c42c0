/** What a command may touch of the world around it. */
export interface CommandIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Signals come in here; the answer stops listening. */
  onSignal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', handler: () => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
  /** Ends the process as a crash does. */
  kill(): void
}

export interface ConfigOptions {
  readonly config: readonly string[]
  readonly set: readonly string[]
}

/** Writes a command's answer. Rejects when it cannot be written: `EPIPE` when nobody reads on. */
export function print(io: CommandIo, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    io.stdout.write(text, error => (error ? reject(error) : resolve()))
  })
}

export function processIo(): CommandIo {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    onSignal(signal, handler) {
      process.on(signal, handler)
      return () => void process.off(signal, handler)
    },
    exit: code => process.exit(code),
    kill: () => void process.kill(process.pid, 'SIGKILL'),
  }
}
