import type { ConfigProvider, FactorySource } from '../config/index.js'

/** A product: which components it has, and what it does when it is given nothing. */
export interface Distribution {
  /** The command's name. */
  readonly name: string
  readonly description: string
  readonly version: string
  /** Where the package is installed, for hints. */
  readonly folder: string
  readonly components: readonly FactorySource[]
  /** Further ways to read a `--config` value. */
  readonly providers?: readonly ConfigProvider[]
  /** The configuration of the demonstration (`tocsin demo`): a path. */
  readonly demo?: string
}
