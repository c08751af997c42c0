import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Distribution } from 'tocsin'
import { components } from './components.js'

const require = createRequire(import.meta.url)

/** Tocsin for stateful alerts: a lookup table in, alerts and recoveries out. */
export const statefulAlert: Distribution = {
  name: 'tocsin-stateful-alert',
  description: 'Alerts, duplicates and recoveries from a lookup table, as Edge Delta has them.',
  version: (require('tocsin/package.json') as { version: string }).version,
  components,
  demo: fileURLToPath(
    new URL(
      `${import.meta.url.includes('/dist/') ? '../../../' : '../../'}distributions/stateful-alert/examples/demo.yaml`,
      import.meta.url,
    ),
  ),
}
