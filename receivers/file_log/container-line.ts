import { parseRfc3339 } from 'tocsin/component'

/** One line of a container's log file, as its runtime wrote it. */
export interface ContainerLine {
  readonly stream: 'stdout' | 'stderr'
  /** ns since the epoch. */
  readonly timestamp: bigint
  readonly text: Buffer
  /** The line goes on in the next one of its stream. */
  readonly partial: boolean
}

const SPACE = 32
const BRACE = 123
const LF = 10
const CR = 13

/** Reads a line of the CRI (containerd, CRI-O) or of Docker's json-file; undefined when it is neither. */
export function containerLine(bytes: Buffer, start: number, end: number): ContainerLine | undefined {
  return bytes[start] === BRACE ? dockerLine(bytes.subarray(start, end)) : criLine(bytes, start, end)
}

/** `TIME stdout|stderr P|F[:more tags] TEXT` */
function criLine(bytes: Buffer, start: number, end: number): ContainerLine | undefined {
  const timeEnd = bytes.indexOf(SPACE, start)
  if (timeEnd === -1 || timeEnd > end || timeEnd - start > 40) return undefined
  const stream = bytes.toString('latin1', timeEnd + 1, Math.min(timeEnd + 7, end))
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  if (bytes[timeEnd + 7] !== SPACE || timeEnd + 7 >= end) return undefined
  const tag = timeEnd + 8
  const tagEnd = bytes.indexOf(SPACE, tag)
  const last = tagEnd === -1 || tagEnd > end ? end : tagEnd
  const [kind] = bytes.toString('latin1', tag, Math.min(last, tag + 16)).split(':')
  const timestamp = parseRfc3339(bytes.toString('latin1', start, timeEnd))
  if (!isEventTime(timestamp) || (kind !== 'P' && kind !== 'F')) return undefined
  return { stream, timestamp, text: bytes.subarray(Math.min(last + 1, end), end), partial: kind === 'P' }
}

/** `{"log":"TEXT\n","stream":"stdout","time":"TIME"}`: a text without line end goes on. */
function dockerLine(bytes: Buffer): ContainerLine | undefined {
  let value: { log?: unknown; stream?: unknown; time?: unknown }
  try {
    value = JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
  const { log, stream, time } = value
  if (typeof log !== 'string' || (stream !== 'stdout' && stream !== 'stderr')) return undefined
  const timestamp = typeof time === 'string' ? parseRfc3339(time) : undefined
  if (!isEventTime(timestamp)) return undefined
  const text = Buffer.from(log)
  const whole = text.at(-1) === LF
  const textEnd = whole ? (text.at(-2) === CR ? -2 : -1) : text.length
  return { stream, timestamp, text: text.subarray(0, textEnd), partial: !whole }
}

/** OTLP has no times before 1970: no runtime wrote such a line. */
function isEventTime(ns: bigint | undefined): ns is bigint {
  return ns !== undefined && ns >= 0n
}
