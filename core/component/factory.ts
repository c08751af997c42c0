import type { ComponentContext } from './context.js'
import type { Exporter } from './exporter.js'
import type { Extension } from './extension.js'
import type { Processor } from './processor.js'
import type { PastReader, Receiver } from './receiver.js'
import type { ConfigSchema } from './schema.js'

/** The five kinds of components. */
export type Kind = 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension'
/** What users may rely on: see docs/contract.md, "Stability levels". */
export type Stability = 'development' | 'alpha' | 'beta' | 'stable' | 'deprecated'

/** The version of the contract in this folder: a factory says which one it was written against. */
export const API = 1

/**
 * What a package exports in `components`: how to validate and create one type of component. `Config` is its configuration
 * as its schema allows it, with the defaults filled in.
 */
export interface Factory<Config extends object = object, Component = unknown> {
  readonly kind: Kind
  /** Which version of this contract it was written against. The loader refuses any other. */
  readonly api: typeof API
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
  /**
   * What `tocsin lint` says besides: what is valid and yet is hardly what was meant. Each finding has a `code`.
   */
  lint?(config: Config, context: LintContext): Promise<readonly LintFinding[]>
  /**
   * The attributes, by name, that records may have from it: of a receiver those that come in, of a processor those that
   * it adds. Undefined, or without this: any. Tells `validate` which names of templates nothing can make.
   */
  makes?(config: Config): readonly string[] | undefined
  /** Makes one component; nothing runs and nothing is opened before its `start`. The configuration is in the context. */
  create(context: ComponentContext<Config>): Component
}

/** One thing that is wrong with a configuration, and how to fix it. */
export interface CheckProblem {
  /** From the component's configuration: `['patterns', 0, 'alert_pattern']`. */
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly fix?: string
  /** Lines of YAML to put into the configuration, shown below the problem. */
  readonly paste?: string
  readonly severity?: 'error' | 'warning'
  /** Stable, kebab-case: what kind of problem it is. */
  readonly code?: string
}

/** With `file` it is about that file: then `path` says where in it. */
export interface FileProblem extends CheckProblem {
  readonly file?: string
  /** Counts from 1. */
  readonly line?: number
  /** Lines of `file`, from 1, that do nothing: `tocsin lint --fix` takes them out. */
  readonly removeLines?: { readonly from: number; readonly to: number }
}

/** What a component may know of its surroundings when it is looked at closely. */
export interface LintContext {
  readonly baseDir: string
  /** The pipelines that the component is part of. */
  readonly pipelines: readonly {
    readonly id: string
    /** The exporters behind it. */
    readonly exporters: readonly {
      readonly id: string
      readonly notifying: boolean
      /** OTTL: which records it sends. */
      readonly condition?: string
    }[]
  }[]
  /** Log lines that were given to try its rules on, in batches; undefined where none were. */
  readonly lines?: () => AsyncIterable<readonly Uint8Array[]>
}

/** Something that is valid and yet hardly meant. */
export interface LintFinding extends FileProblem {
  readonly code: string
}

/** A type of receivers. */
export interface ReceiverFactory<C extends object = object> extends Factory<C, Receiver> {
  readonly kind: 'receiver'
  /**
   * Follows a source that every collector with this configuration would read whole: where the `storage` of its
   * configuration is shared, it runs in one of them at a time. It is created anew for each term.
   */
  readonly exclusive?: boolean
  /**
   * What it reads, where a process has only one of it and each part can be read once: `standard input`. Two receivers of pipelines
   * that read the same are refused.
   */
  readonly sole?: string
  /**
   * How past input is read as this receiver would read it. Without it the lines of a file are bodies of records.
   */
  past?(context: ComponentContext<C>): PastReader
}
/** A type of processors. */
export interface ProcessorFactory<C extends object = object> extends Factory<C, Processor> {
  readonly kind: 'processor'
}
/**
 * A type of exporters: it says how many `send` run at once, and what order holds. Without `notifying`, `ordered` and
 * `local` up to ten run at once, in any order.
 */
export interface ExporterFactory<C extends object = object> extends Factory<C, Exporter> {
  readonly kind: 'exporter'
  /**
   * Tells people, each record a message of its own: one record a request, one `send` at a time, in order. An exporter that
   * makes one message of a request and leaves this out delivers one for many records, and all count as delivered.
   */
  readonly notifying?: boolean
  /** One `send` at a time, so that requests arrive in their order. Without it up to ten run at once, in any order. */
  readonly ordered?: boolean
  /** Writes locally and at once, one `send` at a time: no queue unless the configuration asks for one. */
  readonly local?: boolean
}
/** A connector is a processor whose output goes to the pipelines that name it as a receiver. */
export interface ConnectorFactory<C extends object = object> extends Factory<C, Processor> {
  readonly kind: 'connector'
}
/** A type of extensions. */
export interface ExtensionFactory<C extends object = object> extends Factory<C, Extension> {
  readonly kind: 'extension'
}

/** What a package exports in its list `components`. */
export type AnyFactory =
  | ReceiverFactory
  | ProcessorFactory
  | ExporterFactory
  | ConnectorFactory
  | ExtensionFactory

/** A factory of receivers, with types for what it is given. */
export function defineReceiver<C extends object>(
  factory: Omit<ReceiverFactory<C>, 'kind'>,
): ReceiverFactory<C> {
  return { ...factory, kind: 'receiver' }
}
/** A factory of processors, with types for what it is given. */
export function defineProcessor<C extends object>(
  factory: Omit<ProcessorFactory<C>, 'kind'>,
): ProcessorFactory<C> {
  return { ...factory, kind: 'processor' }
}
/** A factory of exporters, with types for what it is given. */
export function defineExporter<C extends object>(
  factory: Omit<ExporterFactory<C>, 'kind'>,
): ExporterFactory<C> {
  return { ...factory, kind: 'exporter' }
}
/** A factory of connectors, with types for what it is given. */
export function defineConnector<C extends object>(
  factory: Omit<ConnectorFactory<C>, 'kind'>,
): ConnectorFactory<C> {
  return { ...factory, kind: 'connector' }
}
/** A factory of extensions, with types for what it is given. */
export function defineExtension<C extends object>(
  factory: Omit<ExtensionFactory<C>, 'kind'>,
): ExtensionFactory<C> {
  return { ...factory, kind: 'extension' }
}
