import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { exporterConformance } from 'tocsin/testing'
import { components } from './index.js'

// my-exporter.js is what you change; this suite is what every exporter keeps to.
describe('my_exporter', () => {
  for (const { name, run } of exporterConformance({
    factory: components[0],
    destination: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'my-exporter-'))
      const path = join(folder, 'out.txt')
      return {
        config: { path },
        // The texts, as their order matters here; where it does not, how many there are.
        received: async () => (await readFile(path, 'utf8').catch(() => '')).split('\n').slice(0, -1),
        // From now on nothing can be delivered: `send` must not say 'ok' then. Of an httpDestination(): its fail and stall.
        fail: () => rm(folder, { recursive: true }),
        close: () => rm(folder, { recursive: true, force: true }),
      }
    },
  }))
    test(name, run)
})
