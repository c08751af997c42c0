import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { PermanentError } from '../component/index.js'
import type { TapAnswer, TapQuestion, TapRecord } from '../service/tap/tap-server.js'
import { escaped } from './escaped.js'
import { type CommandIo, print } from './io.js'
import { socketsFound } from './tap-sockets.js'

export interface TapOptions {
  readonly socket?: string
  readonly pid?: string
  readonly condition?: string
  readonly sample?: number
  readonly rate?: number
  readonly count?: number
  readonly json?: boolean
}

/** Shows what flows at a point of a running collector until it is stopped; without a point, which points there are. */
export async function tap(point: string | undefined, options: TapOptions, io: CommandIo): Promise<number> {
  const socket = await connected(options, io)
  const { condition, sample, rate, count = Number.POSITIVE_INFINITY, json = false } = options
  const stops = (['SIGINT', 'SIGTERM'] as const).map(signal => io.onSignal(signal, () => socket.destroy()))
  try {
    const question: TapQuestion = {
      ...(point !== undefined && { point }),
      ...(condition !== undefined && { condition }),
      ...(sample !== undefined && { sample }),
      ...(rate !== undefined && { rate }),
    }
    socket.write(`${JSON.stringify(question)}\n`)
    let shown = 0
    for await (const line of createInterface({ input: socket })) {
      const answer = JSON.parse(line) as TapAnswer
      if ('error' in answer) {
        io.stderr.write(`${answer.error}\n`)
        return 1
      }
      if ('points' in answer) await print(io, answer.points.map(one => `${one}\n`).join(''))
      else if ('at' in answer) io.stderr.write(`Looking on at ${answer.at}; Ctrl+C ends it.\n`)
      else if ('skipped' in answer) tellSkipped(answer.skipped, io)
      else {
        await print(io, json ? `${JSON.stringify(answer.record)}\n` : readable(answer.record))
        if (++shown >= count) return 0
      }
    }
    return 0
  } finally {
    for (const stop of stops) stop()
    socket.destroy()
  }
}

async function connected({ socket, pid }: TapOptions, io: CommandIo): Promise<Socket> {
  const all = socket === undefined ? await socketsFound(io.env) : [socket]
  const wanted = pid === undefined ? all : all.filter(path => path.endsWith(`tap-${pid}.sock`))
  const open: { readonly path: string; readonly socket: Socket }[] = []
  for (const path of wanted) {
    const one = connect(path)
    const there = await once(one, 'connect').then(
      () => true,
      () => false,
    )
    if (there) open.push({ path, socket: one })
  }
  const [first, ...others] = open
  if (first && others.length === 0) return first.socket
  for (const one of open) one.socket.destroy()
  if (!first) {
    const where = socket ?? pid
    const what = where === undefined ? 'no collector of this user runs here' : `nothing runs at ${where}`
    throw new PermanentError(
      'no_collector',
      `There is nothing to look at: ${what}. With sudo -u try its user, or name --socket PATH.`,
    )
  }
  const paths = open.map(({ path }) => path).join(', ')
  throw new PermanentError(
    'many_collectors',
    `${open.length} collectors run here: name one by --pid or --socket (${paths}).`,
  )
}

function tellSkipped(
  { rate, failed }: { readonly rate: number; readonly failed: number },
  io: CommandIo,
): void {
  if (rate > 0)
    io.stderr.write(`${rate} more went by unseen in this second: --rate, --sample or --condition.\n`)
  if (failed > 0) io.stderr.write(`The condition failed on ${failed} records in this second.\n`)
}

/** `2026-11-28T10:00:00Z ERROR [logs] body  key=value`; control characters are escaped. */
function readable({ time, pipeline, severity_text, body, attributes, resource }: TapRecord): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const pairs = [...Object.entries(resource as object), ...Object.entries(attributes as object)].map(
    ([key, value]) =>
      `${key}=${typeof value === 'string' && /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value)}`,
  )
  const parts = [time, severity_text, pipeline === undefined ? '' : `[${pipeline}]`, text, ...pairs]
  return `${escaped(parts.filter(part => part !== '').join(' '))}\n`
}
