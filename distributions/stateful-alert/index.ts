import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Distribution } from 'tocsin'
import { components } from './components.js'

const require = createRequire(import.meta.url)
const manifest = require.resolve('tocsin/package.json')

/** Tocsin for stateful alerts: a lookup table in, alerts and recoveries out. */
export const statefulAlert: Distribution = {
  name: 'tocsin-stateful-alert',
  description: 'Alerts, duplicates and recoveries from a lookup table, as Edge Delta has them.',
  version: (require(manifest) as { version: string }).version,
  folder: dirname(manifest),
  components,
  demo: join(dirname(manifest), 'distributions/stateful-alert/examples/demo.yaml'),
}
