import { createHash } from 'node:crypto'
import { formatRfc3339 } from 'tocsin/component'
import type { Fields } from './logsql.js'

export interface LineInput {
  readonly msg: string
  /** ns since the epoch. */
  readonly time: bigint
  /** The labels of its stream. */
  readonly stream?: Fields
  readonly fields?: Fields
}

export interface StoredLine {
  readonly time: bigint
  readonly streamId: string
  readonly fields: Fields
}

/** What was inserted, in order of arrival. */
export class VictoriaLogsStore {
  readonly #lines: StoredLine[] = []

  get length(): number {
    return this.#lines.length
  }

  /** The lines that arrived from the given one on. */
  since(index: number): readonly StoredLine[] {
    return this.#lines.slice(index)
  }

  insert({ msg, time, stream = {}, fields = {} }: LineInput): StoredLine {
    const streamText = `{${Object.keys(stream)
      .sort()
      .map(name => `${name}=${JSON.stringify(stream[name])}`)
      .join(',')}}`
    const streamId = createHash('sha256').update(streamText).digest('hex').slice(0, 48)
    const rest = Object.entries({ ...stream, ...fields }).filter(([, value]) => value !== '')
    rest.sort(([a], [b]) => (a < b ? -1 : 1))
    const line: StoredLine = {
      time,
      streamId,
      fields: {
        _time: formatRfc3339(time),
        _stream_id: streamId,
        _stream: streamText,
        _msg:
          msg ||
          'missing _msg field; see https://docs.victoriametrics.com/victorialogs/keyconcepts/#message-field',
        ...Object.fromEntries(rest),
      },
    }
    this.#lines.push(line)
    return line
  }
}

/** A line on the wire: JSON with `<` and `'` escaped, as VictoriaLogs writes it. */
export function wireLine(fields: Fields): Buffer {
  const json = JSON.stringify(fields).replaceAll('<', '\\u003c').replaceAll("'", '\\u0027')
  return Buffer.from(`${json}\n`)
}
