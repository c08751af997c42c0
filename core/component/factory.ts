import type { ComponentContext } from './context.js'
import type { Exporter } from './exporter.js'
import type { Extension } from './extension.js'
import type { Processor } from './processor.js'
import type { Receiver } from './receiver.js'
import type { ConfigSchema } from './schema.js'

export type Kind = 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension'
export type Stability = 'development' | 'alpha' | 'beta' | 'stable' | 'deprecated'

/** What a package exports in `components`: how to validate and create one type of component. */
export interface Factory<Config = never, Component = unknown> {
  readonly kind: Kind
  /** snake_case, as in the configuration. */
  readonly type: string
  /** Other names that work with a warning. */
  readonly aliases?: readonly string[]
  readonly stability: Stability
  /** One sentence, for `tocsin components` and the docs. */
  readonly description: string
  readonly schema: ConfigSchema
  /** What the schema cannot say: rules across keys. The configuration is valid by the schema and has its defaults. */
  check?(config: Config): readonly CheckProblem[]
  /**
   * What `tocsin validate` looks at besides: the files that a valid configuration names. A start does not ask, it reads
   * them itself. `baseDir`: as in the context.
   */
  checkFiles?(config: Config, baseDir: string): Promise<readonly FileProblem[]>
  create(config: Config, context: ComponentContext<Config>): Component
}

export interface CheckProblem {
  /** From the component's configuration: `['patterns', 0, 'alert_pattern']`. */
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly fix?: string
  readonly severity?: 'error' | 'warning'
}

/** With `file` it is about that file: then `path` says where in it. */
export interface FileProblem extends CheckProblem {
  readonly file?: string
  /** Counts from 1. */
  readonly line?: number
}

export interface ReceiverFactory<C = never> extends Factory<C, Receiver> {
  readonly kind: 'receiver'
  /**
   * Follows a source that every collector with this configuration would read whole: where the `storage` of its
   * configuration is shared, it runs in one of them at a time. It is created anew for each term.
   */
  readonly exclusive?: boolean
}
export interface ProcessorFactory<C = never> extends Factory<C, Processor> {
  readonly kind: 'processor'
}
export interface ExporterFactory<C = never> extends Factory<C, Exporter> {
  readonly kind: 'exporter'
  /** Tells people: one record a request, one consumer, so that order per destination is kept. */
  readonly notifying?: boolean
  /** One consumer, so that requests leave in their order. */
  readonly ordered?: boolean
  /** Writes locally and at once: no queue unless the configuration asks for one. */
  readonly local?: boolean
}
/** A connector is a processor whose output goes to the pipelines that name it as a receiver. */
export interface ConnectorFactory<C = never> extends Factory<C, Processor> {
  readonly kind: 'connector'
}
export interface ExtensionFactory<C = never> extends Factory<C, Extension> {
  readonly kind: 'extension'
}

export type AnyFactory =
  | ReceiverFactory
  | ProcessorFactory
  | ExporterFactory
  | ConnectorFactory
  | ExtensionFactory

export function defineReceiver<C>(factory: Omit<ReceiverFactory<C>, 'kind'>): ReceiverFactory {
  return { ...factory, kind: 'receiver' } as unknown as ReceiverFactory
}
export function defineProcessor<C>(factory: Omit<ProcessorFactory<C>, 'kind'>): ProcessorFactory {
  return { ...factory, kind: 'processor' } as unknown as ProcessorFactory
}
export function defineExporter<C>(factory: Omit<ExporterFactory<C>, 'kind'>): ExporterFactory {
  return { ...factory, kind: 'exporter' } as unknown as ExporterFactory
}
export function defineConnector<C>(factory: Omit<ConnectorFactory<C>, 'kind'>): ConnectorFactory {
  return { ...factory, kind: 'connector' } as unknown as ConnectorFactory
}
export function defineExtension<C>(factory: Omit<ExtensionFactory<C>, 'kind'>): ExtensionFactory {
  return { ...factory, kind: 'extension' } as unknown as ExtensionFactory
}
