import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { scaledClock } from '../../test/support/scaled-clock.js'
import { harness, until } from '../../test/support/victorialogs-harness.js'

const shared = process.env.TOCSIN_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url))
const log = `${shared}/loghub/OpenSSH/OpenSSH_2k.log`

describe('a real log', () => {
  it.skipIf(!existsSync(log))(
    `comes through cuts, restarts of the source and random chunks as it is (skipped without ${log})`,
    async () => {
      const lines = readFileSync(log, 'utf8').split('\n').filter(Boolean)
      const clock = scaledClock(200)
      const h = await harness({ clock, server: { seed: 7, refreshMs: 3 } })
      Object.assign(h.server.faults, {
        chunkBytes: [1, 3_000],
        cutTail: { afterBytes: [10_000, 80_000], how: ['end', 'destroy', 'reset'] },
        repeatOnConnect: 20,
        shuffleFields: true,
      })
      const query = '"Failed password"'
      const run = await h.run({ query })
      await until(() => h.server.openTails > 0, 'a tail')
      const replaying = h.server.replay(lines, {
        // When it comes in: on a busy machine minutes of this clock go by, and what is older than look_back may be left out.
        timeOf: (_, index) => clock.now() + BigInt(index),
        stream: { app: 'sshd' },
        burst: 40,
        pauseMs: 4,
      })
      await until(() => h.server.store.length > 800, 'the first lines')
      await h.server.down()
      await new Promise(resolve => setTimeout(resolve, 50))
      await h.server.up()
      await replaying
      const expected = lines.filter(line => line.includes('Failed password'))
      await run.intake.waitFor(expected.length)
      await new Promise(resolve => setTimeout(resolve, 30))
      expect([...run.bodies()].sort()).toEqual([...expected].sort())
      expect(h.server.asked('tail')).toBeGreaterThan(2)
    },
  )
})
