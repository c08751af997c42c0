import { PassThrough, Readable } from 'node:stream'
import { main, processIo } from 'tocsin'
import { full } from '../../distributions/full/index.js'
import { ROOT } from './shared.js'

export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Where a command is said, and what it is given. */
export interface CliOptions {
  readonly env?: { readonly [name: string]: string }
  readonly cwd?: string
  readonly input?: string
}

/**
 * Runs the command line of the full distribution inside of the test's process. A process of its own costs half a second of
 * CPU: `startCommand` is for what a process does, and once for each command.
 */
export async function cli(
  args: readonly string[],
  { env, cwd, input = '' }: CliOptions = {},
): Promise<Answer> {
  const out = collected()
  const err = collected()
  const code = await main(full, args, {
    ...processIo(),
    stdin: Readable.from([Buffer.from(input)]),
    stdout: out.stream,
    stderr: err.stream,
    cwd: cwd ?? ROOT,
    env: { ...process.env, NO_COLOR: '1', ...env },
  })
  return { code, stdout: out.text(), stderr: err.text() }
}

/** Read all the time: a command waits where its output is full. */
function collected(): { readonly stream: PassThrough; text(): string } {
  const stream = new PassThrough()
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { stream, text: () => Buffer.concat([...chunks, stream.read() ?? Buffer.alloc(0)]).toString() }
}
