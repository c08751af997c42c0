/** What a command may touch of the world around it. */
export interface CommandIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
  /** Where it is a terminal, commands may ask. */
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Signals come in here; the answer stops listening. */
  onSignal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', handler: () => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
  /** Ends the process as a crash does. */
  kill(): void
}

/** Which configuration a command works on. */
export interface ConfigOptions {
  /** The values of `--config`: merged in this order. */
  readonly config: readonly string[]
  /** The values of `--set`: they win. */
  readonly set: readonly string[]
}

/** Writes a command's answer. Rejects when it cannot be written: `EPIPE` when nobody reads on. */
export function print(io: CommandIo, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    io.stdout.write(text, error => (error ? reject(error) : resolve()))
  })
}

/** The process's own streams, environment and signals. */
export function processIo(): CommandIo {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    get stdin() {
      return process.stdin
    },
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
