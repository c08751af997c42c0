import { createNoopMeter } from '@opentelemetry/api'
import type {
  AnyFactory,
  Clock,
  ComponentContext,
  Exporter,
  ExporterFactory,
  ExportRequest,
  Extension,
  Finding,
  FlowObserver,
  LogAttributes,
  Logger,
  LogRecord,
  Random,
  Receiver,
  StorageExtension,
  StorageProvider,
} from '../component/index.js'
import type { GraphReport } from '../pipeline/graph-host.js'
import type { ComponentPlan } from '../pipeline/plan.js'
import { Service } from '../service/service.js'
import type { ServiceSettings } from '../service/settings.js'
import { memoryStorage } from '../state/memory-state.js'
import type { Metrics } from '../telemetry/metrics.js'
import { type Decision, DecisionWatch, type WatchedRules } from './decision-watch.js'

/** What an exporter would send now. */
export interface Outgoing {
  readonly exporter: string
  /** Each record is a message to people. */
  readonly notifying: boolean
  /** Made but not started: it can only `render`. */
  readonly component: Exporter
  readonly request: Pick<ExportRequest, 'records' | 'pipeline'>
}

/** A rehearsal's settings, and who listens to it. */
export interface RehearsalOptions {
  readonly settings: ServiceSettings
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger & { child(attributes: LogAttributes): Logger }
  /** As for a service. */
  readonly tickMs?: number
  /** Stands in for a receiver of the configuration. `context` is what that one would get. */
  receiver(plan: ComponentPlan, context: ComponentContext<object>): Receiver
  send(outgoing: Outgoing): Promise<void> | undefined
  decided(decision: Decision): void
  /** What else is seen of the flow. */
  readonly flow?: FlowObserver
  /**
   * What components find in this storage of the configuration: nothing is to be changed there (`overlaid`). Default: each is
   * empty, and keyed state is in no storage.
   */
  readonly storage?: (id: string) => StorageProvider
  /** Each of the extensions, but for storages. */
  extension?(id: string, extension: Extension): void
}

/**
 * A configuration that runs for show: with its real graph, processors, connectors, conditions and rendering, but what comes in is
 * given, nothing is sent, nothing listens, and what storages would keep lies in memory.
 */
export class Rehearsal {
  readonly #service: Service
  readonly #watch: DecisionWatch

  constructor(options: RehearsalOptions) {
    const { settings, clock, random, logger, tickMs } = options
    this.#watch = new DecisionWatch(decision => options.decided(decision), options.storage !== undefined)
    const replaced = replacedSettings(settings, options, this.#watch)
    this.#service = new Service({
      version: 'rehearsal',
      load: async () => replaced,
      logger,
      metrics: NO_METRICS,
      clock,
      random,
      ...(tickMs !== undefined && { tickMs }),
    })
  }

  /** Rejects with what a component that cannot start throws. */
  start(): Promise<void> {
    return this.#service.start()
  }

  /** As `Service.sendTime`. */
  sendTime(): void {
    this.#service.sendTime()
  }

  /** Resolves when all inputs have ended. */
  get ended(): Promise<void> {
    return this.#service.ended
  }

  stop(): Promise<GraphReport> {
    return this.#service.stop()
  }

  /** What a processor finds in a record; undefined when it does not say. */
  explain(pipeline: string, processor: string, record: LogRecord): readonly Finding[] | undefined {
    return this.#watch.explain(pipeline, processor, record)
  }

  /** The rules of the processors that have some. */
  rules(): readonly WatchedRules[] {
    return this.#watch.rules()
  }
}

function replacedSettings(
  settings: ServiceSettings,
  options: RehearsalOptions,
  watch: DecisionWatch,
): ServiceSettings {
  const { graph } = settings
  const { receiver, send, flow } = options
  const replaced = (
    plans: ReadonlyMap<string, ComponentPlan>,
    change: (plan: ComponentPlan) => ComponentPlan,
  ): Map<string, ComponentPlan> => new Map([...plans].map(([id, plan]) => [id, change(plan)]))
  const watched = (plan: ComponentPlan): ComponentPlan =>
    withCreate(plan, context =>
      watch.watch(plan.factory.create(context as never) as object, context.pipeline ?? '', plan.id),
    )
  const extensions = replaced(settings.extensions, plan => rehearsedExtension(plan, options))
  if (flow) extensions.set(OBSERVER, observer(flow))
  return {
    ...settings,
    graph: {
      ...graph,
      receivers: replaced(graph.receivers, plan =>
        withCreate(plan, context => receiver(plan, context), { exclusive: false }),
      ),
      processors: replaced(graph.processors, watched),
      connectors: replaced(graph.connectors, watched),
      exporters: replaced(graph.exporters, plan => rehearsedExporter(plan, send)),
    },
    extensions,
    metrics: { ...settings.metrics, level: 'none', pushes: [] },
  }
}

function withCreate(
  plan: ComponentPlan,
  create: (context: ComponentContext<object>) => unknown,
  more: object = {},
): ComponentPlan {
  return { ...plan, factory: { ...plan.factory, ...more, create } as unknown as AnyFactory }
}

/** Its condition and its rendering are real; it has no queue, and never fails. */
function rehearsedExporter(plan: ComponentPlan, send: RehearsalOptions['send']): ComponentPlan {
  const { notifying = false } = plan.factory as unknown as ExporterFactory
  const { sending_queue: _, retry_on_failure: __, ...config } = plan.config as { [key: string]: unknown }
  const rehearsed = withCreate(
    plan,
    (context): Exporter => {
      const component = plan.factory.create(context as never) as Exporter
      return {
        async send({ records, pipeline }) {
          await send({ exporter: plan.id, notifying, component, request: { records, pipeline } })
          return 'ok'
        },
      }
    },
    { local: true },
  )
  return { ...rehearsed, config: { ...config, timeout: '0s' } }
}

/** A storage is memory; others run, and think that they listen. */
function rehearsedExtension(
  plan: ComponentPlan,
  { storage, extension: made }: RehearsalOptions,
): ComponentPlan {
  return withCreate(plan, (context): Extension => {
    const listen: ComponentContext<object>['listen'] = async ({ host, port }) => ({
      host,
      port,
      handle: () => undefined,
      release: async () => undefined,
    })
    const extension = plan.factory.create({ ...context, listen } as never) as Extension
    if (!('storage' in extension)) {
      made?.(plan.id, extension)
      return extension
    }
    const rehearsed: StorageExtension = { storage: storage?.(plan.id) ?? memoryStorage() }
    return rehearsed as Extension
  })
}

const OBSERVER = 'rehearsal'

function observer(flow: FlowObserver): ComponentPlan {
  const factory = {
    kind: 'extension',
    api: 1,
    type: OBSERVER,
    stability: 'development',
    description: 'Watches a rehearsal.',
    schema: { type: 'object' },
    create: (): Extension => ({ observe: () => flow }),
  }
  return { id: OBSERVER, config: {}, factory: factory as AnyFactory }
}

/** Nobody scrapes a rehearsal. */
const NO_METRICS: Metrics = {
  meter: createNoopMeter(),
  resource: {},
  enable: () => undefined,
  scrape: async () => '',
  collect: async () => ({}) as Awaited<ReturnType<Metrics['collect']>>,
  close: async () => undefined,
}
