import type { AnyFactory, ExporterFactory } from '../component/index.js'
import {
  type CommonSchemas,
  type ConfigRequest,
  configJsonSchema,
  type FactorySource,
  Formats,
  loadConfig,
  loaded,
  loadFactories,
  printConfig,
  processEnvironment,
} from '../config/index.js'
import { REDACTED, redactUrl } from '../config/secrets.js'
import { checkCommon, exporterCommon } from '../delivery/index.js'
import type { ServiceSettings } from '../service/settings.js'
import type { Distribution } from './distribution.js'
import type { CommandIo, ConfigOptions } from './io.js'
import { settingsOf } from './settings-of.js'

/** A configuration, ready to run. */
export interface Loaded {
  readonly settings: ServiceSettings
  /** The components of the distribution and of the configuration's packages. */
  readonly factories: readonly FactorySource[]
  /** A text from outside without the secrets of the configuration. */
  redact(text: string): string
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

export const FORMATS = new Formats({
  regex: async () => (await import('../config/regex.js')).checkRegex,
  template: async () => (await import('../toolkit/template/index.js')).checkTemplate,
  jinja: async () => {
    const { checkTemplate } = await import('../toolkit/template/index.js')
    return text => checkTemplate(text, 'jinja')
  },
  condition: async () => (await import('../toolkit/ottl/index.js')).checkCondition,
  path: async () => (await import('../toolkit/ottl/index.js')).checkPath,
})

/**
 * Reads and validates the configuration that a command was given; with `checkFiles` also the files that its components
 * name. Throws `ConfigError` with all problems.
 */
export async function load(
  distribution: Distribution,
  options: ConfigOptions,
  io: CommandIo,
  { checkFiles = false, lint }: Pick<ConfigRequest, 'checkFiles' | 'lint'> = {},
): Promise<Loaded> {
  const config = await loadConfig({
    ...request(distribution, options, io),
    checkFiles,
    ...(lint && { lint }),
    templateNames: async () => (await import('../toolkit/template/index.js')).templateNames,
  })
  let secrets: readonly string[] | undefined
  const redact = (text: string): string => {
    secrets ??= config.secrets()
    return secrets.reduce((shown, secret) => shown.replaceAll(secret, REDACTED), text)
  }
  return {
    settings: { ...settingsOf(config), redact: text => redactUrl(redact(text)) },
    factories: [...config.factories.values()],
    redact,
    redacted: () => printConfig(config),
  }
}

function request(
  { components, demo, name, providers }: Distribution,
  options: ConfigOptions,
  io: CommandIo,
): ConfigRequest {
  return {
    sources: options.config,
    sets: options.set,
    factories: components,
    formats: FORMATS,
    common: COMMON,
    ...(providers && { providers }),
    environment: { ...processEnvironment(), env: io.env, cwd: io.cwd },
    ...(demo && { hint: `name a file with --config FILE, or try ${name} demo` }),
  }
}

/** The JSON Schema of a whole configuration file, with the components of the packages that the given one names. */
export async function configSchema(
  distribution: Distribution,
  options: ConfigOptions,
  io: CommandIo,
): Promise<unknown> {
  const sources =
    options.config.length > 0
      ? await loadFactories(request(distribution, options, io))
      : distribution.components
  return configJsonSchema(await loadAll(sources), COMMON)
}

/**
 * One after another, up to the first that fails: to a second importer of a CommonJS module that threw, such as re2 built for
 * another Node.js, it is undefined, and Node.js has a rejection that nobody can catch (findings/node-import-after-failed-commonjs.sh).
 */
export async function loadAll(sources: readonly FactorySource[]): Promise<AnyFactory[]> {
  const factories: AnyFactory[] = []
  for (const source of sources) factories.push(await loaded(source))
  return factories
}
