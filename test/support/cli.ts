import { PassThrough } from 'node:stream'
import { main, processIo } from 'tocsin'
import { full } from '../../distributions/full/index.js'

export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command line of the full distribution inside of the test's process, which is faster than a command. */
export async function cli(...args: string[]): Promise<Answer> {
  const out = new PassThrough()
  const err = new PassThrough()
  const code = await main(full, args, { ...processIo(), stdout: out, stderr: err })
  return { code, stdout: textOf(out), stderr: textOf(err) }
}

function textOf(stream: PassThrough): string {
  return (stream.read() as Buffer | null)?.toString() ?? ''
}
