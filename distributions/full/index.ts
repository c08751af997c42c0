import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Distribution } from 'tocsin'
import { valerterProvider } from '../valerter/provider.js'
import { components } from './components.js'

const require = createRequire(import.meta.url)
const manifest = require.resolve('tocsin/package.json')

/** Tocsin with all of its components. */
export const full: Distribution = {
  name: 'tocsin',
  description:
    'A log-alerting collector: log records in, the right alert out, once, with the log line in it.',
  version: (require(manifest) as { version: string }).version,
  folder: dirname(manifest),
  components,
  providers: [valerterProvider],
  demo: join(dirname(manifest), 'distributions/full/demo.yaml'),
}
