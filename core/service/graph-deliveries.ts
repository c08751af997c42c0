import type { Meter } from '@opentelemetry/api'
import type {
  Clock,
  ComponentStatus,
  Exporter,
  ExporterFactory,
  LogAttributes,
  Logger,
  LogRecord,
  Random,
} from '../component/index.js'
import {
  type CommonConfig,
  createDelivery,
  type DeadLetters,
  type Delivery,
  deliverySettings,
  type Handover,
  queueNamespace,
} from '../delivery/index.js'
import type { ComponentPlan } from '../pipeline/plan.js'
import type { Traces } from '../telemetry/traces.js'
import type { Components } from './components.js'
import type { FlowWatch } from './flow-watch.js'
import type { SharedQueue } from './shared-queue.js'
import type { SharedQueues } from './shared-queues.js'
import type { Taps } from './tap/taps.js'
import { type Redact, toldWithoutSecrets } from './told-without-secrets.js'

export type CompileCondition = (text: string) => { test(record: LogRecord): boolean }

/** What the service lends to the deliveries of a graph. */
export interface DeliveryContext {
  /** Of OTTL; given where an exporter has a condition. */
  readonly compileCondition: CompileCondition | undefined
  readonly components: Components
  /** The storage of queues that name none. */
  readonly defaultStorage: string | undefined
  readonly sharedQueues: SharedQueues
  /** What exporters of the last graph left in their queues, by id. */
  readonly handovers: ReadonlyMap<string, Handover>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger & { child(attributes: LogAttributes): Logger }
  readonly meter: Meter
  readonly traces: Traces
  readonly taps: Taps
}

interface Options extends DeliveryContext {
  readonly deadLetters: Pick<DeadLetters, 'add'>
  readonly watch: FlowWatch | undefined
  readonly redact: Redact | undefined
  report(exporter: string, pipelines: readonly string[], status: ComponentStatus): void
}

/** The deliveries of one graph, with their queues, of which shared ones take over what other collectors left. */
export class GraphDeliveries {
  readonly #all = new Map<string, Delivery>()
  readonly #shared: { readonly queue: SharedQueue; readonly delivery: Delivery }[] = []
  /** The storage of each durable queue, by exporter. */
  readonly queues = new Map<string, string>()

  constructor(private readonly options: Options) {}

  get(exporter: string): Delivery | undefined {
    return this.#all.get(exporter)
  }

  /** `onRoom`: called when its queue has room again. */
  make(plan: ComponentPlan, made: Exporter, pipelines: readonly string[], onRoom: () => void): Delivery {
    const { clock, random, logger, meter, defaultStorage, components, handovers } = this.options
    const { deadLetters, traces, sharedQueues, compileCondition, report, watch: flow, redact } = this.options
    const exporter = redact ? toldWithoutSecrets(made, redact) : made
    const { notifying = false, ordered = false, local = false } = plan.factory as unknown as ExporterFactory
    const config = plan.config as CommonConfig
    const settings = deliverySettings(config, { notifying, ordered, local }, defaultStorage)
    const { storage } = settings.queue
    const provider = storage === undefined ? undefined : components.provider(storage)
    const shared = provider && sharedQueues.open(plan.id, provider)
    const store = shared?.store ?? provider?.keyValue(queueNamespace(plan.id))
    const { condition: text } = config
    const condition = text === undefined ? undefined : compileCondition?.(text)
    const inherit = handovers.get(plan.id)
    const watch = flow?.queue(plan.id, notifying)
    const delivery = createDelivery({
      id: plan.id,
      exporter: traces.exporter(
        plan.id,
        this.#tapped(plan.id, flow?.exporter(plan.id, exporter) ?? exporter),
      ),
      notifying,
      settings,
      clock,
      random,
      logger: logger.child({ kind: 'exporter', component: plan.id }),
      meter,
      deadLetters,
      reportStatus: status => report(plan.id, pipelines, status),
      onRoom,
      ...(store && { store }),
      ...(condition && { condition: record => condition.test(record) }),
      ...(watch && { watch }),
      ...(inherit && { inherit }),
    })
    if (shared) this.#shared.push({ queue: shared, delivery })
    this.#all.set(plan.id, delivery)
    if (storage !== undefined) this.queues.set(plan.id, storage)
    return delivery
  }

  /** From now on they take over what others left. */
  adopt(): void {
    for (const { queue, delivery } of this.#shared) queue.adoptInto(delivery)
  }

  stopAdopting(): void {
    for (const { queue } of this.#shared) queue.stopAdopting()
  }

  /** Resolves when what was being taken over is. */
  async adopted(): Promise<void> {
    for (const { queue } of this.#shared) await queue.adopted()
  }

  #tapped(id: string, exporter: Exporter): Exporter {
    return {
      start: async () => exporter.start?.(),
      stop: async () => exporter.stop?.(),
      send: (request, signal) => {
        this.options.taps.look(`exporter/${id}`, request.records, request.pipeline)
        return exporter.send(request, signal)
      },
    }
  }
}
