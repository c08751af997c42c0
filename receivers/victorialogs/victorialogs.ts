import { type ComponentContext, errorText, type Intake, type Receiver } from 'tocsin/component'
import { openTlsSource } from 'tocsin/http'
import { Admission } from './admission.js'
import { Checkpoint, type Restored } from './checkpoint.js'
import { Checkpointer } from './checkpointer.js'
import { Client } from './client.js'
import { gapOptions, type VictoriaLogsConfig } from './config.js'
import { FIRST_OVERLAP_NS, Follower } from './follower.js'
import { createMetrics } from './metrics.js'
import { Offers } from './offers.js'
import { SeenLines } from './seen-lines.js'
import { SourceClock } from './source-clock.js'

const MAX_UNSETTLED_RECORDS = 8_192
const MAX_UNSETTLED_BYTES = 32 * 1_048_576
const REMEMBERED_LINES = 200_000

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

  async start(intake: Intake): Promise<void> {
    const { config, clock, logger, baseDir } = this.#context
    const checkpoint = new Checkpoint(this.#context.storage(config.storage), REMEMBERED_LINES)
    const [restored, tls] = await Promise.all([
      checkpoint.load(),
      openTlsSource(config.tls, { baseDir, clock, logger }),
    ])
    const gap = gapOptions(config)
    const seen = this.#remember(restored, gap.lookBackMs * 3)
    const now = clock.now()
    const position = restored?.position ?? { completeTo: now, checkedTo: now, asOf: now }
    // After a crash before the first checkpoint the next start must go on from here, not begin anew.
    if (!restored) {
      await checkpoint.save([], position, seen.floor).catch(error => {
        logger.warn('The first checkpoint could not be written: a crash before the next one leaves a gap.', {
          error: errorText(error),
        })
      })
    }
    const source = new SourceClock(clock, logger)
    const client = new Client(config, tls, clock, source)
    const checkpointer = new Checkpointer(
      {
        checkpoint,
        clock,
        logger,
        maxRecords: MAX_UNSETTLED_RECORDS / 4,
        oldestUnsettled: () => offers.oldestUnsettled(),
        floor: () => seen.floor,
        onHeld: change => offers.hold(change),
      },
      position,
    )
    const offers = new Offers({
      intake,
      clock,
      maxRecords: MAX_UNSETTLED_RECORDS,
      maxBytes: MAX_UNSETTLED_BYTES,
      onSettled: (offer, settled) => checkpointer.add(offer, settled),
      onError: error => logger.error('An offer failed and is repeated.', { error: String(error) }),
    })
    const follower = new Follower({
      context: this.#context,
      client,
      source,
      offers,
      seen,
      gap,
      admission: new Admission({
        seen,
        clock,
        source,
        discarded: (reason, count) => intake.discarded(reason, count),
      }),
      discarded: (reason, count) => intake.discarded(reason, count),
      metrics: createMetrics(this.#context),
      position,
      fresh: restored === undefined,
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

  #remember(restored: Restored | undefined, keepMs: number): SeenLines {
    const { clock } = this.#context
    const nowMs = clock.monotonicMs()
    const floor = restored ? restored.floor : clock.now() - FIRST_OVERLAP_NS
    const seen = new SeenLines(REMEMBERED_LINES, keepMs, nowMs, floor)
    for (const line of restored?.lines ?? []) seen.restore(line, nowMs)
    return seen
  }
}
