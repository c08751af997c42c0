import type { Exporter, ExportRequest, Sent } from '../../core/component/index.js'
import { createRecord, type LogRecord } from '../../core/component/index.js'
import { createDeadLetters } from '../../core/delivery/dead-letters.js'
import { createDelivery } from '../../core/delivery/delivery.js'
import type { CommonConfig, ExporterFlags } from '../../core/delivery/schema.js'
import { deliverySettings } from '../../core/delivery/settings.js'
import type { Delivery, DeliveryOptions } from '../../core/delivery/types.js'
import { memoryKeyValue } from '../../core/state/memory-key-value.js'
import { testContext, VirtualClock } from '../../core/testing/index.js'

type Answer = Sent | typeof hold | ((request: ExportRequest, signal: AbortSignal) => Sent | Promise<Sent>)
/** The request waits until `free` is called. */
export const hold = Symbol('hold')
export const retry = (reason: string): Sent => (reason === 'ok' ? 'ok' : { reason })

export interface Rig {
  delivery: Delivery
  clock: VirtualClock
  context: ReturnType<typeof testContext<undefined>>
  deadLetters: ReturnType<typeof createDeadLetters>
  requests: ExportRequest[]
  /** The ids of each request's records. */
  sent: string[][]
  /** When each was sent, ms since the start. */
  times: number[]
  stopped: number
  /** Resolves when the records are in the queue. */
  put(...ids: string[]): Promise<void>
  /** Resolves with the outcome. */
  enqueue(...ids: string[]): Promise<unknown>
  enqueueTo(pipeline: string, ...ids: string[]): Promise<unknown>
  free(): void
  letters(): ReturnType<ReturnType<typeof createDeadLetters>['list']>
}

export interface Setup extends Partial<Pick<DeliveryOptions, 'store' | 'condition' | 'inherit' | 'random'>> {
  readonly flags?: ExporterFlags
  readonly config?: CommonConfig
  /** One for each request, then 'ok'. */
  readonly answers?: readonly Answer[] | (() => Answer)
  readonly clock?: VirtualClock
}

/** A delivery over an exporter that answers as it is told, on a virtual clock. */
export async function setUp({
  flags = {},
  config = {},
  answers = [],
  clock = new VirtualClock(),
  ...more
}: Setup = {}) {
  const context = testContext({ config: undefined, clock })
  const requests: ExportRequest[] = []
  let held: (() => void)[] = []
  const exporter: Exporter = {
    async send(request, signal) {
      const index = requests.push(request) - 1
      rig.times.push(clock.monotonicMs())
      rig.sent.push(request.records.map(record => record.id))
      const answer = (typeof answers === 'function' ? answers() : answers[index]) ?? 'ok'
      if (answer === hold) {
        await new Promise<void>(resolve => held.push(resolve))
        return 'ok'
      }
      return typeof answer === 'function' ? answer(request, signal) : answer
    },
    async stop() {
      rig.stopped++
    },
  }
  const { logger, meter } = context
  const deadLetters = createDeadLetters({ store: memoryKeyValue(), clock, logger: silent, meter })
  const delivery = createDelivery({
    id: 'webhook/x',
    exporter,
    notifying: flags.notifying ?? false,
    settings: deliverySettings(config, flags),
    clock,
    random: () => 0.5,
    logger,
    meter,
    deadLetters,
    reportStatus: context.reportStatus,
    ...more,
  })
  const enqueueTo = (pipeline: string, ...ids: string[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      delivery.enqueue(ids.map(recordOf), pipeline, resolve).catch(reject)
    })
  const rig: Rig = {
    delivery,
    clock,
    context,
    deadLetters,
    requests,
    sent: [],
    times: [],
    stopped: 0,
    put: (...ids) => delivery.enqueue(ids.map(recordOf), 'logs', () => undefined),
    enqueue: (...ids) => enqueueTo('logs', ...ids),
    enqueueTo,
    free() {
      const waiting = held
      held = []
      for (const resolve of waiting) resolve()
    },
    letters: () => deadLetters.list(),
  }
  await delivery.start()
  return rig
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

export function recordOf(id: string): LogRecord {
  return createRecord({ id, body: `line ${id}` })
}
