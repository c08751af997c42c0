import {
  byteSize,
  type ComponentContext,
  durationMs,
  errorText,
  type Intake,
  type KeyValueStore,
  type Receiver,
} from 'tocsin/component'
import { UNFINISHED_IDLE_MS } from './archives.js'
import { loadCheckpoints, patternsChange } from './checkpoints.js'
import type { FileLogConfig } from './config.js'
import { ContainerFramer } from './container-framer.js'
import { type Encoding, encodingOf } from './encoding.js'
import { FileSet } from './file-set.js'
import { createFramer, type Flush, type Framer } from './framer.js'
import { Ledger } from './ledger.js'
import { createMetrics, type FileLogMetrics } from './metrics.js'
import { Notices } from './notices.js'
import { Reader } from './reader.js'
import { createDiscovery } from './scan.js'
import { ReaderStatus } from './status.js'
import type { TrackedFile } from './tracked-file.js'

/** A look at the disk may take at most one part in this of the time, as long as nothing waits too long for the next. */
const SCAN_SHARE = 10
const SCAN_WAIT_MS = 2_000
const RETRY_MS = 1_000
const FILES_AT_ONCE = 16
/** What waits in a file whose name another has, and writes to, waits no longer than this. */
const SUPERSEDED_FLUSH_MS = 500
/** How long a text without any line end waits when it does not grow, and when it does. */
const LINELESS_IDLE_MS = 5_000
const LINELESS_MOST_MS = 60_000
/** How long a line that a container runtime has cut waits for its rest. */
const CUT_LINE_IDLE_MS = 60_000

interface Work {
  readonly files: FileSet
  readonly reader: Reader
}

/** Reads files in one loop: look for what is new, read everything to its end, wait. */
export class FileLogReceiver implements Receiver {
  readonly #context: ComponentContext<FileLogConfig>
  readonly #encoding: Encoding
  readonly #metrics: FileLogMetrics
  readonly #status: ReaderStatus
  readonly #notices: Notices
  readonly #store: KeyValueStore
  readonly #stopping = new AbortController()
  readonly #pollMs: number
  readonly #flushMs: number
  #ledger: Ledger | undefined
  #work: Work | undefined
  #running: Promise<void> | undefined
  #nextScanMs = 0
  #scannedAt = 0n
  #caughtUp: bigint | undefined
  /** The store did not take a new file: nothing of it is offered before it does. */
  #unstored = false

  constructor(context: ComponentContext<FileLogConfig>) {
    const { config } = context
    this.#context = context
    this.#encoding = encodingOf(config.encoding) as Encoding
    this.#metrics = createMetrics(context)
    this.#status = new ReaderStatus(context)
    this.#notices = new Notices(context.logger)
    this.#store = context.storage(config.storage)
    this.#pollMs = Math.max(1, durationMs(config.poll_interval))
    this.#flushMs = durationMs(config.force_flush_period)
  }

  async start(intake: Intake): Promise<void> {
    const ledger = new Ledger({
      intake,
      store: this.#store,
      clock: this.#context.clock,
      signal: this.#stopping.signal,
      onStoreFault: fault => this.#status.store(fault),
      onUnsettled: change => this.#metrics.unsettledBatches(change),
    })
    this.#ledger = ledger
    this.#work = await this.#begin(ledger)
    this.#running = this.#run(intake, ledger).catch(error => {
      this.#context.logger.error('Reading files failed.', { error: errorText(error) })
      this.#context.reportStatus({ status: 'permanent_error', message: errorText(error) })
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#ledger?.wake()
    await this.#running
    // Nothing else still has it.
    await this.#work?.files.setDeletedAside()
    for (const file of this.#work?.files.files ?? []) this.#work?.reader.deliverRemainder(file)
  }

  async close(): Promise<void> {
    await this.#ledger?.close()
    await this.#work?.files.closeAll()
  }

  /**
   * When all was last found read: what a line says about its time is found out only behind this receiver, so
   * nothing is known while there is more to read.
   */
  watermark(): bigint | undefined {
    return this.#caughtUp
  }

  async #run(intake: Intake, ledger: Ledger): Promise<void> {
    const { clock, config } = this.#context
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#work ??= await this.#begin(ledger)
      if (!this.#work) {
        await clock.sleep(RETRY_MS, signal)
        continue
      }
      const { files } = this.#work
      const progress = await this.#round(this.#work, ledger)
      if (signal.aborted) return
      if (!progress) {
        if (config.stop_at_end && !files.deferred && !this.#unstored) {
          await ledger.taken()
          if (!signal.aborted) intake.end()
          return
        }
        // What the pipelines refused is older: time must not overtake it.
        if (!config.stop_at_end && !ledger.refused) this.#caughtUp = this.#scannedAt
        const waitMs = this.#nextScanMs - clock.monotonicMs()
        await clock.sleep(waitMs > 0 ? waitMs : this.#pollMs, signal)
        if (signal.aborted) return
      }
      if (clock.monotonicMs() >= this.#nextScanMs && (!config.stop_at_end || files.deferred)) {
        await this.#scan(files, false, undefined)
      }
    }
  }

  /** Loads the checkpoints and looks at the disk for the first time. Undefined when the store cannot be read. */
  async #begin(ledger: Ledger): Promise<Work | undefined> {
    const { baseDir, clock, config, logger } = this.#context
    try {
      const { checkpoints, patterns: before } = await loadCheckpoints(this.#store)
      this.#status.store(undefined)
      const notices = this.#notices
      const framer = (encoding: Encoding) => this.#framer(encoding)
      const files = new FileSet(
        {
          discovery: createDiscovery(config.include, config.exclude, baseDir),
          encoding: this.#encoding,
          framer,
          clock,
          logger,
          notices,
          ledger,
          signal: this.#stopping.signal,
          maxOpen: config.max_concurrent_files,
          durable: config.storage !== undefined,
          onOpenFiles: change => this.#metrics.openFiles(change),
          onRestart: reason => this.#metrics.restarted(reason),
        },
        checkpoints,
      )
      const patterns = JSON.stringify([config.include, config.exclude])
      // A file that the last run with these patterns did not know came since: nothing of it was seen.
      await this.#scan(files, config.start_at === 'end' && before !== patterns, patterns)
      const parts = { framer, files, ledger, metrics: this.#metrics, notices }
      return { files, reader: new Reader(this.#context, parts) }
    } catch (error) {
      this.#status.store(errorText(error))
      return undefined
    }
  }

  #framer(encoding: Encoding): Framer {
    const { container, max_log_size: maxSize, multiline } = this.#context.config
    const options = {
      encoding,
      maxBytes: Math.max(16, byteSize(maxSize)),
      startPattern: multiline?.line_start_pattern,
      endPattern: multiline?.line_end_pattern,
    }
    return container ? new ContainerFramer({ ...options, flushMs: this.#flushMs }) : createFramer(options)
  }

  async #scan(files: FileSet, newAtEnd: boolean, patterns: string | undefined): Promise<void> {
    const { baseDir, clock, config } = this.#context
    const startedMs = clock.monotonicMs()
    this.#scannedAt = clock.now()
    try {
      await files.scan(newAtEnd, patterns === undefined ? [] : [patternsChange(patterns)])
    } catch (error) {
      files.problems.set(baseDir, errorText(error))
    }
    this.#status.problems(files.problems)
    if (files.size === 0) this.#status.noFiles(config.include, baseDir)
    const nowMs = clock.monotonicMs()
    this.#nextScanMs =
      nowMs + Math.max(this.#pollMs, Math.min((nowMs - startedMs) * SCAN_SHARE, SCAN_WAIT_MS))
  }

  /** Reads a piece of every file that has something; false when none had. */
  async #round(work: Work, ledger: Ledger): Promise<boolean> {
    this.#unstored = false
    for (const file of work.files.files) {
      if (!file.remainder || !work.files.hasNoCopy(file)) continue
      await ledger.room()
      work.reader.deliverRemainder(file)
    }
    const files = [...work.files.files].values()
    let progress = false
    const worker = async (): Promise<void> => {
      for (const file of files) {
        if (this.#stopping.signal.aborted) return
        if (await this.#readSome(work, file, ledger)) progress = true
      }
    }
    // Files that are read once are read one after another: order matters more there than that the disk is busy.
    await Promise.all(Array.from({ length: this.#context.config.stop_at_end ? 1 : FILES_AT_ONCE }, worker))
    return progress
  }

  /** Reads a piece of a file; with `stop_at_end` all of it. False when there was nothing to read. */
  async #readSome(work: Work, file: TrackedFile, ledger: Ledger): Promise<boolean> {
    const { files } = work
    let progress = false
    do {
      const flush = this.#flush(file, files)
      if (!file.dirty && flush === file.flushed) {
        this.#lookAtArchive(file)
        break
      }
      if (files.problems.has(file.path) || (await files.mustWait(file))) break
      await ledger.room()
      if (this.#stopping.signal.aborted) return false
      if (!(await this.#read(work, file, flush))) break
      progress = true
    } while (this.#context.config.stop_at_end)
    return progress
  }

  async #read({ files, reader }: Work, file: TrackedFile, flush: Flush): Promise<boolean> {
    try {
      const answer = await reader.read(file, flush)
      if (answer === 'unstored') this.#unstored = true
      return answer === 'read'
    } catch (error) {
      files.problems.set(file.path, errorText(error))
      this.#status.problems(files.problems)
      return false
    }
  }

  /** Says once when a compressed file that is not whole does not grow. */
  #lookAtArchive(file: TrackedFile): void {
    const { archiveEnd: end, offset, pending, size } = file
    if (!file.compressed || file.done || !end || end === 'whole') return
    const { clock, config } = this.#context
    if (!config.stop_at_end && clock.monotonicMs() - file.grownAtMs < UNFINISHED_IDLE_MS) return
    this.#notices.archive(file.path, { end, readBytes: offset + pending, fileBytes: Number(size) })
  }

  /** What to take as complete at the end of the file. */
  #flush(file: TrackedFile, files: FileSet): Flush {
    const { clock, config } = this.#context
    if (file.dirty) return 'nothing'
    if (file.pending === 0) return file.flushed
    if (config.stop_at_end || files.isFinished(file)) return 'everything'
    const nowMs = clock.monotonicMs()
    const idleMs = nowMs - file.grownAtMs
    if (file.superseded && idleMs >= Math.min(this.#flushMs, SUPERSEDED_FLUSH_MS)) return 'everything'
    if (!file.hasLineEnds) {
      const flush = withoutLineEnds(idleMs, nowMs - file.pendingSinceMs, config.multiline !== undefined)
      if (flush) this.#notices.noLineEnds(file.path)
      if (flush) return flush
    }
    if (config.container && idleMs >= CUT_LINE_IDLE_MS) return 'parts'
    return config.multiline && idleMs >= this.#flushMs ? 'lines' : file.flushed
  }
}

/** What waits in a file that never had a line end. */
function withoutLineEnds(idleMs: number, waitedMs: number, hasPattern: boolean): Flush | undefined {
  if (idleMs >= LINELESS_IDLE_MS || waitedMs >= LINELESS_MOST_MS) return 'everything'
  return hasPattern && waitedMs >= LINELESS_IDLE_MS ? 'starts' : undefined
}
