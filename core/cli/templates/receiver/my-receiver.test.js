import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { receiverConformance } from 'tocsin/testing'
import { components } from './index.js'

// my-receiver.js is what you change; this suite is what every receiver keeps to.
describe('my_receiver', () => {
  for (const { name, run } of receiverConformance({
    factory: components[0],
    // What is in a file can be read again after a restart.
    rereads: true,
    source: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'my-receiver-'))
      const path = join(folder, 'in.log')
      let number = 0
      return {
        config: { path, poll_interval: '10ms' },
        feed: async count => {
          const lines = Array.from({ length: count }, () => `line ${++number}.`)
          await appendFile(path, lines.map(line => `${line}\n`).join(''))
          return lines
        },
        close: () => rm(folder, { recursive: true }),
      }
    },
  }))
    test(name, run)
})
