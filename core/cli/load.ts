import type { AnyFactory } from '../component/index.js'
import { createDefaultEnvironment, loadConfig } from '../config/index.js'
import { exporterCommon } from '../delivery/index.js'
import { checkCondition, checkPath } from '../ottl/index.js'
import type { Distribution } from '../service/distribution.js'
import type { ServiceSettings } from '../service/settings.js'
import { checkTemplate } from '../template/index.js'
import type { CommandIo, ConfigOptions } from './io.js'
import { settingsOf } from './settings-of.js'

export interface Loaded {
  readonly settings: ServiceSettings
  /** The components of the distribution and of the configuration's packages. */
  readonly factories: readonly AnyFactory[]
  /** The configuration merged and expanded, as YAML, without secrets. */
  redacted(): string
}
