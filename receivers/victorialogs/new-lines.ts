import type { Clock, LogRecord } from 'tocsin/component'
import { decodeLine, identityOfBytes, type Line } from './line.js'
import { earlier } from './position.js'
import { VictoriaLogsRecord } from './record.js'
import { type SeenLine, SeenLines } from './seen-lines.js'
import type { SourceClock } from './source-clock.js'

const REMEMBERED_BAD_LINES = 2_000

/** The new records of some lines, with what is to be remembered of them. */
export interface NewRecords {
  readonly records: readonly LogRecord[]
  readonly lines: readonly SeenLine[]
  readonly bytes: number
  /** The newest `_time` among all lines, repeats too; 0n when none has one. */
  readonly newest: bigint
}

export interface NewLinesOptions {
  readonly seen: SeenLines
  readonly clock: Clock
  readonly source: SourceClock
  readonly discarded: (reason: string, count: number) => void
}

/** Makes records of lines: drops bad ones and those that were offered before, and gives each record its id. */
export class NewLines {
  readonly #options: NewLinesOptions
  readonly #bad: SeenLines
  readonly #run: string
  #pass = 0
  #untimed = 0

  constructor(options: NewLinesOptions) {
    this.#options = options
    this.#bad = new SeenLines(REMEMBERED_BAD_LINES, Number.MAX_SAFE_INTEGER, 0)
    this.#run = options.clock.now().toString(36)
  }

  /** Begins a reading of the source: a connection, a query. */
  nextPass(): number {
    return ++this.#pass
  }

  /** Bad lines are counted, each once however often it is read. */
  decode(lines: readonly Buffer[], pass: number): Line[] {
    const decoded: Line[] = []
    for (const bytes of lines) {
      if (bytes.length === 0) continue
      const line = decodeLine(bytes)
      if (typeof line !== 'string') decoded.push(line)
      else if (this.#bad.admit({ identity: identityOfBytes(bytes), time: 0n }, pass, 0) !== undefined) {
        this.#options.discarded(line, 1)
      }
    }
    return decoded
  }

  admit(lines: readonly Line[], pass: number): NewRecords {
    const { seen, clock, source } = this.#options
    const observed = clock.now()
    const latest = source.latest()
    const nowMs = clock.monotonicMs()
    const records: LogRecord[] = []
    const remembered: SeenLine[] = []
    let bytes = 0
    let newest = 0n
    for (const line of lines) {
      const { identity, time, fields } = line
      if (time === undefined) {
        // VictoriaLogs sends none without a time. What cannot be placed in time cannot be told from a repeat.
        records.push(
          new VictoriaLogsRecord(`${identity}-${this.#run}-${this.#untimed++}`, fields, 0n, observed),
        )
        bytes += line.bytes
        continue
      }
      if (time > newest) newest = time
      // By the time of a line from the future all would count as forgotten, when that line is.
      const placed = earlier(time, latest)
      const before = seen.admit({ identity, time: placed }, pass, nowMs)
      if (before === undefined) continue
      const id = before === 0 ? identity : `${identity}-${before}`
      records.push(new VictoriaLogsRecord(id, fields, time, observed))
      remembered.push({ identity, time: placed })
      bytes += line.bytes
    }
    return { records, lines: remembered, bytes, newest }
  }
}
