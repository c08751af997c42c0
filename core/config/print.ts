import { dump } from 'js-yaml'
import type { LoadedConfig } from './load.js'

/** The configuration as YAML for `print-config`: merged, expanded, secrets redacted. */
export function printConfig(loaded: LoadedConfig): string {
  return dump(loaded.redacted(), { noRefs: true, lineWidth: -1 })
}
