import type { AnyFactory, ExporterFactory } from '../component/index.js'
import {
  type CommonSchemas,
  configJsonSchema,
  formatCheckers,
  loadConfig,
  printConfig,
  processEnvironment,
} from '../config/index.js'
import { checkCommon, exporterCommon } from '../delivery/index.js'
import type { Distribution } from '../service/distribution.js'
import type { ServiceSettings } from '../service/settings.js'
import { checkCondition, checkPath } from '../toolkit/ottl/index.js'
import { checkTemplate } from '../toolkit/template/index.js'
import type { CommandIo, ConfigOptions } from './io.js'
import { settingsOf } from './settings-of.js'

export interface Loaded {
  readonly settings: ServiceSettings
  /** The components of the distribution and of the configuration's packages. */
  readonly factories: readonly AnyFactory[]
  /** The configuration merged and expanded, as YAML, without secrets. */
  redacted(): string
}

/** What the core adds to the configuration of components, by kind. */
export const COMMON: CommonSchemas = {
  exporter: {
    schema: exporterCommon,
    check: (config, factory) => checkCommon(config, factory as ExporterFactory),
  },
}

const FORMATS = formatCheckers({ template: checkTemplate, condition: checkCondition, path: checkPath })

/**
 * Reads and validates the configuration that a command was given; with `checkFiles` also the files that its components
 * name. Throws `ConfigError` with all problems.
 */
export async function load(
  { components, demo, name }: Distribution,
  options: ConfigOptions,
  io: CommandIo,
  { checkFiles = false } = {},
): Promise<Loaded> {
  const loaded = await loadConfig({
    sources: options.config,
    sets: options.set,
    factories: components,
    formats: FORMATS,
    common: COMMON,
    checkFiles,
    environment: { ...processEnvironment(), env: io.env, cwd: io.cwd },
    ...(demo && { hint: `name a file with --config FILE, or try ${name} demo` }),
  })
  return {
    settings: settingsOf(loaded),
    factories: [...loaded.factories.values()],
    redacted: () => printConfig(loaded),
  }
}

/** The JSON Schema of a whole configuration file. */
export function configSchema({ components }: Distribution): unknown {
  return configJsonSchema(components, COMMON)
}
