import { type ComponentContext, errorText, type Intake, msToNs, type Receiver } from 'tocsin/component'
import { openTlsSource } from 'tocsin/http'
import { withAttributes } from './added.js'
import { BATCH_RECORDS } from './batcher.js'
import { CheckpointStore } from './checkpoint-store.js'
import { Checkpointer } from './checkpointer.js'
import { Client } from './client.js'
import { gapOptions, type VictoriaLogsConfig } from './config.js'
import { FIRST_OVERLAP_NS, Follower } from './follower.js'
import { LINE_BYTES } from './kept-lines.js'
import { newLineKey } from './line-hash.js'
import { createMetrics } from './metrics.js'
import { NewLines } from './new-lines.js'
import { Offers } from './offers.js'
import { earlier } from './position.js'
import { SeenLines } from './seen-lines.js'
import { shareTail } from './share-tail.js'
import { SourceClock } from './source-clock.js'

const MAX_UNSETTLED_RECORDS = 8_192
const MAX_UNSETTLED_BYTES = 32 * 1_048_576
/** 20,000 lines a second over the default look_back and what a reading is behind. */
const REMEMBERED_BYTES = 64 * 1_048_576
/** So many tables for what is remembered: more make them small, fewer forget much at once. */
const TABLES = 256n
/** A line is remembered longer than readings reach, while there is room: the tail looks back further at times. */
const SPARE_MS = 60_000
const SPARE_LOOK_BACKS = 3

interface Running {
  readonly client: Client
  readonly offers: Offers
  readonly checkpointer: Checkpointer
  readonly follower: Follower
  readonly following: Promise<void>
}

/** Tails a LogsQL query without gaps and without repeats; `Follower` has the way it does that. */
export class VictoriaLogsReceiver implements Receiver {
  readonly #context: ComponentContext<VictoriaLogsConfig>
  readonly #stop = new AbortController()
  #running: Running | undefined

  constructor(context: ComponentContext<VictoriaLogsConfig>) {
    this.#context = context
  }

  async start(given: Intake): Promise<void> {
    const intake = withAttributes(given, this.#context.config.attributes)
    const { config, clock, logger, oncePerMinute, baseDir, random } = this.#context
    const firstKey = newLineKey(random)
    const checkpoint = new CheckpointStore(
      this.#context.storage(config.storage),
      REMEMBERED_BYTES / LINE_BYTES,
      firstKey,
    )
    const [restored, tls] = await Promise.all([
      checkpoint.load(),
      openTlsSource(config.tls, { baseDir, clock, logger }),
    ])
    const gap = gapOptions(config)
    const source = new SourceClock(clock, logger)
    const now = clock.now()
    const keepNs = msToNs(gap.lookBackMs * SPARE_LOOK_BACKS + SPARE_MS)
    const seen = new SeenLines({
      maxBytes: REMEMBERED_BYTES,
      spanNs: keepNs / TABLES,
      floor: restored ? restored.floor : now - FIRST_OVERLAP_NS,
      present: () => source.latest(),
    })
    if (restored) await checkpoint.lines(line => void seen.add(line, 0))
    const position = restored?.position ?? { completeTo: now, checkedTo: now, asOf: now }
    // After a crash before the first checkpoint the next start must go on from here, not begin anew.
    if (!restored) {
      await checkpoint.save(Buffer.alloc(0), position, seen.floor).catch(error => {
        logger.warn('The first checkpoint could not be written: a crash before the next one leaves a gap.', {
          error: errorText(error),
        })
      })
    }
    const metrics = createMetrics(this.#context)
    const client = new Client(config, tls, clock, source)
    const checkpointer = new Checkpointer(
      {
        checkpoint,
        clock,
        logger,
        maxRecords: MAX_UNSETTLED_RECORDS / 4,
        oldestUnsettled: () => offers.oldestUnsettled(),
        forget: ({ completeTo, checkedTo }) => {
          seen.forgetBefore(earlier(earlier(completeTo, checkedTo), source.earliest()) - keepNs)
          return seen.floor
        },
        onHeld: change => offers.hold(change),
      },
      position,
    )
    const offers = new Offers({
      intake,
      clock,
      batchRecords: BATCH_RECORDS,
      maxRecords: MAX_UNSETTLED_RECORDS,
      maxBytes: MAX_UNSETTLED_BYTES,
      onSettled: (offer, settled) => checkpointer.add(offer, settled),
      onError: error => logger.error('An offer failed and is repeated.', { error: String(error) }),
    })
    const newLines = new NewLines({
      seen,
      key: restored?.key ?? firstKey,
      clock,
      oncePerMinute,
      discarded: (reason, count) => intake.discarded(reason, count),
      repaired: metrics.repaired,
    })
    const follower = new Follower({
      context: this.#context,
      client,
      source,
      offers,
      seen,
      gap,
      newLines,
      metrics,
      position,
      fresh: restored === undefined,
      share: shareTail(this.#context, client),
    })
    const following = follower.run(this.#stop.signal)
    this.#running = { client, offers, checkpointer, follower, following }
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#running?.offers.stop()
    await this.#running?.following
  }

  async close(): Promise<void> {
    await this.stop()
    await this.#running?.checkpointer.close()
    await this.#running?.client.close()
  }

  watermark(): bigint | undefined {
    return this.#running?.follower.watermark()
  }
}
