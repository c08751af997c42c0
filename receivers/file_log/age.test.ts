import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import { byAge, compareAge } from './age.js'

const SECOND = 1_000_000_000n
const T = 1_767_225_605n * SECOND

describe('which of two files was written first', () => {
  test.each([
    ['app.log.2', 300_000_000n, 'app.log.1', 400_000_000n, 'time'],
    // Greater numbers are newer in some programs.
    ['app.1.log', 300_000_000n, 'app.2.log', 400_000_000n, 'time'],
    ['app.log.2', 400_000_000n, 'app.log.1', 400_000_000n, 'number_in_name'],
    ['app.log.10', 400_000_000n, 'app.log.9', 400_000_000n, 'number_in_name'],
    ['app.log.2.gz', 400_000_999n, 'app.log.1', 400_000_321n, 'number_in_name'],
    ['app.log.2.gz', 401_000_000n, 'app.log.1', 400_700_000n, 'number_in_name'],
    // Packed by pigz, and copied to FAT.
    ['app.log.2', 300_000_001n, 'app.log.1.gz', 0n, 'number_in_name'],
    ['app.log.2', 700_000_001n, 'app.log.1.gz', -1n * SECOND, 'number_in_name'],
    // Packed by `gzip -c`, a day later.
    ['app.log.2.gz', 86_400n * SECOND, 'app.log.1', 1n, 'number_in_name'],
    ['app.log-20260101.gz', 86_400n * SECOND, 'app.log-20260102', 1n, 'date_in_name'],
    ['app.log.1.gz', 1n, 'app.log.2', 86_400n * SECOND, 'time'],
    ['app.log-20260101.gz', 0n, 'app.log-20260102.gz', 0n, 'date_in_name'],
    ['app.log-20251231', 0n, 'app.log-20260101.gz', 0n, 'date_in_name'],
    ['app-2026-01-01.9.log', 0n, 'app-2026-01-01.10.log.gz', 0n, 'date_in_name'],
    ['app-20260101-2.log', 0n, 'app-20260102.log', 0n, 'date_in_name'],
    ['app.log-20260101-1767225600', 0n, 'app.log-20260101-1767225601', 0n, 'date_in_name'],
    ['app.log.1', 86_400n * SECOND, 'app.log', 0n, 'original_is_newest'],
    ['app-1.log.1', 0n, 'app-1.log', 0n, 'original_is_newest'],
    ['app.log.old', 1n, 'app.log', 5_000_000n, 'time'],
    ['app.log', 1n, 'app.log.old', 5_000_000n, 'time'],
    ['app.log.old', 0n, 'app.log', 0n, 'original_is_newest'],
    ['app.log-20260101', 0n, 'app.log.1', 0n, 'unclear'],
    ['app.log.1', 0n, 'other.log.2', 0n, 'unclear'],
  ] as const)('%s + %i ns is older than %s + %i ns: %s', (older, first, newer, second, reason) => {
    const a = { path: `/var/log/${older}`, mtimeNs: T + first }
    const b = { path: `/var/log/${newer}`, mtimeNs: T + second }
    const said = [compareAge(a, b), compareAge(b, a)]
    expect(said.map(one => [Math.sign(one.order), one.reason])).toEqual([
      [-1, reason],
      [1, reason],
    ])
    if (reason !== 'original_is_newest') expect(byAge([b, a])).toEqual([a, b])
  })
})

test('a file of the time of two others does not put them in disorder', () => {
  const files = [
    { path: '/l/a.3', mtimeNs: T + 100_000_000n },
    { path: '/l/a.2', mtimeNs: T + 300_000_000n },
    { path: '/l/a.1.gz', mtimeNs: T },
    { path: '/l/z', mtimeNs: T + 5_000_000_000n },
  ]
  expect(byAge(files.toReversed())).toEqual(files)
})

/** What makes a time less than it was. */
const coarse = fc.constantFrom<(ns: bigint) => bigint>(
  ns => ns,
  ns => ns - (ns % (2n * SECOND)),
  ns => ns - (ns % SECOND),
  ns => ns - (ns % 1_000_000n),
  ns => ns - (ns % 1_000n),
  ns => BigInt(Math.round((Number(ns) / 1e9) * 1e9)),
)
const generation = fc.record({
  gapNs: fc.oneof(fc.bigInt(1n, 3_000_000n), fc.bigInt(1n, 5n * SECOND)),
  coarse,
  packed: fc.constantFrom(false, true),
})

test('what was rotated comes in its order, whatever is left of the times', () => {
  fc.assert(
    fc.property(
      fc.array(generation, { minLength: 2, maxLength: 12 }),
      fc.constantFrom<(index: number, count: number) => string>(
        (index, count) => `app.log.${count - index}`,
        index => `app.log-${20260101 + index}`,
        index => `app-2026-01-01.${index + 1}.log`,
      ),
      fc.boolean(),
      fc.infiniteStream(fc.nat()),
      (generations, nameOf, late, shuffle) => {
        let now = T + 123n
        const files = generations.map(({ gapNs, coarse, packed }, index) => {
          now += gapNs
          return {
            path: `/l/${nameOf(index, generations.length)}${packed ? '.gz' : ''}`,
            mtimeNs: coarse(now),
          }
        })
        // Packed without the time of what they pack.
        const all = files.map((file, index) =>
          late && file.path.endsWith('.gz') ? { ...file, mtimeNs: now + BigInt(index + 1) * SECOND } : file,
        )
        const mixed = all
          .map(file => ({ file, at: shuffle.next().value as number }))
          .sort((a, b) => a.at - b.at)
        expect(byAge(mixed.map(({ file }) => file)).map(({ path }) => path)).toEqual(
          all.map(({ path }) => path),
        )
      },
    ),
    runs(300),
  )
})

test('three thousand files of one time are no work', () => {
  const files = Array.from({ length: 3_000 }, (_, index) => ({
    path: `/l/app.log.${3_000 - index}`,
    mtimeNs: T,
  }))
  expect(byAge(files.toReversed())).toEqual(files)
})
