import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import {
  type Attributes,
  byteSize,
  type ComponentContext,
  createRecord,
  errorText,
  type Intake,
  type LogRecord,
  NO_RESOURCE,
  newMap,
  type Receiver,
  type Resource,
} from 'tocsin/component'
import { LineSplitter } from 'tocsin/lines'
import type { StdinConfig } from './config.js'
import { createMetrics, type StdinMetrics } from './metrics.js'
import { Outbox } from './outbox.js'

const MAX_BATCH_RECORDS = 1_000

/** What standard input is: it may have a handle that keeps the process alive. */
export type Input = Readable & { ref?(): unknown; unref?(): unknown }

/** Reads lines from a stream. It stops reading while the pipelines are busy: then the writer waits. */
export class StdinReceiver implements Receiver {
  readonly #context: ComponentContext<StdinConfig>
  readonly #input: Input
  readonly #metrics: StdinMetrics
  readonly #attributes: Attributes
  readonly #resource: Resource
  readonly #splitter: LineSplitter
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #run = ''
  #count = 0
  #oversized = 0
  #nuls = 0
  #idle = false
  #caughtUp: bigint | undefined

  constructor(context: ComponentContext<StdinConfig>, input: Input) {
    const { config } = context
    this.#context = context
    this.#input = input
    this.#metrics = createMetrics(context)
    this.#attributes = Object.freeze(newMap(Object.entries(config.attributes)))
    const resource = newMap(Object.entries(config.resource))
    this.#resource =
      Object.keys(resource).length === 0 ? NO_RESOURCE : { ...NO_RESOURCE, attributes: resource }
    this.#splitter = new LineSplitter({ maxLineBytes: byteSize(config.max_log_size), oversized: 'split' })
  }

  async start(intake: Intake): Promise<void> {
    // Lines have no identity of their own; those of another run must not share theirs.
    this.#run = this.#context.clock.now().toString(36)
    this.#input.ref?.()
    // A fault while nothing waits for the input must not end the process.
    this.#input.on('error', ignore)
    this.#running = this.#read(intake).catch(error => {
      this.#context.logger.error('Standard input cannot be read.', { error: errorText(error) })
      this.#context.reportStatus({ status: 'permanent_error', message: errorText(error) })
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    this.#input.removeListener('error', ignore)
    this.#input.pause()
    this.#input.unref?.()
  }

  watermark(): bigint | undefined {
    if (this.#idle) this.#caughtUp = this.#context.clock.now()
    return this.#caughtUp
  }

  async #read(intake: Intake): Promise<void> {
    const { signal } = this.#stopping
    const outbox = new Outbox(intake, this.#context.clock, signal)
    while (!signal.aborted) {
      const chunk = this.#input.read() as Buffer | string | null
      if (chunk !== null) {
        const lines = this.#splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
        if (!(await this.#offer(outbox, lines, intake))) return
        continue
      }
      if (this.#input.readableEnded || this.#input.destroyed) {
        if (this.#input.errored) throw this.#input.errored
        if (!(await this.#offer(outbox, this.#splitter.end(), intake))) return
        await outbox.taken()
        if (!signal.aborted) intake.end()
        return
      }
      this.#idle = true
      await change(this.#input, signal)
      this.#idle = false
    }
    this.#giveBack([], intake)
  }

  /** False when reading must stop: what was not offered is then given back. */
  async #offer(outbox: Outbox, lines: readonly Buffer[], intake: Intake): Promise<boolean> {
    this.#countSkipped()
    for (let first = 0; first < lines.length; first += MAX_BATCH_RECORDS) {
      if (!(await outbox.room())) {
        this.#giveBack(lines.slice(first), intake)
        return false
      }
      const batch = lines.slice(first, first + MAX_BATCH_RECORDS)
      outbox.offer(
        this.#records(batch),
        batch.reduce((sum, line) => sum + line.length, 0),
      )
    }
    return true
  }

  #records(lines: readonly Buffer[]): LogRecord[] {
    const observedTimestamp = this.#context.clock.now()
    let replaced = 0
    const records = lines.map(line => {
      const valid = isUtf8(line)
      if (!valid) replaced++
      return createRecord({
        id: `${this.#run}:${this.#count++}`,
        bodyText: valid ? line : Buffer.from(line.toString()),
        observedTimestamp,
        attributes: this.#attributes,
        resource: this.#resource,
      })
    })
    this.#metrics.invalidEncoding(replaced)
    return records
  }

  #countSkipped(): void {
    this.#metrics.oversized(this.#splitter.oversized - this.#oversized)
    this.#oversized = this.#splitter.oversized
    const { skippedNuls } = this.#splitter
    if (skippedNuls === this.#nuls) return
    this.#metrics.skippedNuls(skippedNuls - this.#nuls)
    if (this.#nuls === 0) {
      const message =
        'NUL bytes around lines are skipped: what writes them goes on at its old place in a file that was truncated.'
      this.#context.logger.warn(message, { bytes: skippedNuls })
    }
    this.#nuls = skippedNuls
  }

  /** Puts what was read but not offered back, for the receiver that a reload starts next. */
  #giveBack(lines: readonly Buffer[], intake: Intake): void {
    const rest = this.#splitter.rest
    if (lines.length === 0 && rest.length === 0) return
    if (this.#input.readableEnded || this.#input.destroyed) {
      intake.discarded('stopped', lines.length + (rest.length > 0 ? 1 : 0))
      return
    }
    this.#input.unshift(Buffer.concat([...lines.flatMap(line => [line, LINE_END]), rest]))
  }
}

const ignore = (): void => undefined

const LINE_END = Buffer.from('\n')

/** Resolves when there is something to read, the stream ended or failed, or `signal` is aborted. */
function change(input: Readable, signal: AbortSignal): Promise<void> {
  const events = ['readable', 'end', 'error', 'close']
  return new Promise(resolve => {
    const done = (): void => {
      for (const event of events) input.removeListener(event, done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    for (const event of events) input.on(event, done)
    signal.addEventListener('abort', done)
  })
}
