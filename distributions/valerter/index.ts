import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Distribution } from 'tocsin'
import { components } from './components.js'
import { valerterProvider } from './provider.js'

const require = createRequire(import.meta.url)
const manifest = require.resolve('tocsin/package.json')

/** Tocsin for those who come from Valerter. */
export const valerter: Distribution = {
  name: 'tocsin-valerter',
  description: 'Runs a Valerter configuration directory as it is: VictoriaLogs in, notifications out.',
  version: (require(manifest) as { version: string }).version,
  folder: dirname(manifest),
  components,
  providers: [valerterProvider],
}
