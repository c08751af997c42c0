import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Distribution } from 'tocsin'
import { components } from './components.js'

const require = createRequire(import.meta.url)

/** Tocsin with all of its components. */
export const full: Distribution = {
  name: 'tocsin',
  description:
    'A log-alerting collector: log records in, the right alert out, once, with the log line in it.',
  version: (require('tocsin/package.json') as { version: string }).version,
  components,
  demo: fileURLToPath(
    new URL(
      `${import.meta.url.includes('/dist/') ? '../../../' : '../../'}distributions/full/demo.yaml`,
      import.meta.url,
    ),
  ),
}
