import { systemClock } from '../../service/clock.js'
import type { CommandIo } from '../io.js'
import type { Inputs } from './sources.js'

const EVERY_MS = 200
const WIDTH = 24

/** A line on a terminal: how far, how fast, how much longer. Elsewhere it shows nothing. */
export class Progress {
  readonly #started = systemClock.monotonicMs()
  #shown = 0

  constructor(
    private readonly io: CommandIo,
    private readonly title: string,
    private readonly inputs: Inputs,
    private readonly totalBytes: number,
  ) {}

  /** `at`: event time of the newest record. */
  show(records: number, bytes: number, at: bigint): void {
    if (!this.io.stderr.isTTY) return
    const now = systemClock.monotonicMs()
    if (now - this.#shown < EVERY_MS) return
    this.#shown = now
    const seconds = (now - this.#started) / 1_000
    const part = this.#part(bytes, at)
    const rate = `${Math.round(records / seconds).toLocaleString('en-US')} records/s`
    const bar =
      part === undefined
        ? ''
        : `[${'#'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '.')}] ${Math.floor(part * 100)} %  `
    const left = part && part > 0.01 ? `  ${Math.ceil((seconds * (1 - part)) / part)} s left` : ''
    this.io.stderr.write(`\r\x1b[K${bar}${rate}${left}${this.title && `  ${this.title}`}`)
  }

  clear(): void {
    if (this.#shown > 0) this.io.stderr.write('\r\x1b[K')
  }

  #part(bytes: number, at: bigint): number | undefined {
    const { range } = this.inputs
    if (this.totalBytes > 0) return Math.min(1, bytes / this.totalBytes)
    if (!range) return undefined
    return Math.min(1, Math.max(0, Number(at - range.from) / Number(range.to - range.from)))
  }
}
