import { copyFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { collectingIntake } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { bodies, fileLogWorld, numbered } from '../../test/support/file-log.js'

const { at, write, append, started, stopped, stored, passed, polls, advanced, seen } = fileLogWorld({})

describe('checkpoints', () => {
  test('go on exactly where the last run stopped, also in files that came since', async () => {
    write('a.log', 'before\n')
    const first = await started({ storage: 'disk' })
    append('a.log', '1\n')
    await seen(first.intake, ['1'])
    await stopped(first.receiver)
    append('a.log', '2\n')
    renameSync(at('a.log'), at('a.log.1'))
    write('a.log', '3\n')
    const second = await started({ storage: 'disk' })
    await seen(second.intake, ['2', '3'])
  })

  test("are not written any more when the receiver is closed: they may be its successor's", async () => {
    write('a.log', numbered(0, 1_500))
    const config = { start_at: 'beginning', storage: 'disk' } as const
    const first = await started(config, collectingIntake({ manual: true }))
    await expect.poll(() => first.intake.batches.length).toBe(2)
    await stopped(first.receiver)
    const second = await started(config)
    await second.intake.waitFor(1_500)
    await expect.poll(() => advanced(second.intake.batches.every(batch => batch.released))).toBe(true)
    first.intake.batches[0]!.settle()
    await polls(2)
    expect(first.intake.batches[0]!.released).toBe(false)
    await stopped(second.receiver)
    const third = await started(config)
    await polls(3)
    expect(bodies(third.intake)).toEqual([])
  })

  test('find what was copied and truncated while nothing ran', async () => {
    write('a.log', '1\n')
    const first = await started({ start_at: 'beginning', storage: 'disk' })
    await seen(first.intake, ['1'])
    await stopped(first.receiver)
    append('a.log', '2\n')
    copyFileSync(at('a.log'), at('a.log.1'))
    writeFileSync(at('a.log'), '3\n')
    const second = await started({ start_at: 'beginning', storage: 'disk' })
    await expect.poll(() => advanced(bodies(second.intake).sort())).toEqual(['2', '3'])
  })

  test('know a truncated file until its copy is known, also when the last batch settles at the stop', async () => {
    write('a.log', 'read\n')
    const config = { start_at: 'beginning', storage: 'disk' } as const
    const first = await started(config, collectingIntake({ manual: true }))
    await first.intake.waitFor(1)
    append('a.log', 'only in the copy\n')
    copyFileSync(at('a.log'), at('a.log.1'))
    truncateSync(at('a.log'))
    await polls(3)
    const stopping = first.receiver.stop()
    await passed(0)
    await stopping
    first.intake.batches[0]!.settle()
    await passed(0)
    await first.receiver.close?.()
    const second = await started(config)
    await seen(second.intake, ['only in the copy'])
  })

  test('move only past batches that settled, in order, and release them when they are durable', async () => {
    write('a.log', numbered(0, 2_500))
    const first = await started(
      { start_at: 'beginning', storage: 'disk' },
      collectingIntake({ manual: true }),
    )
    await expect.poll(() => first.intake.batches.length).toBe(3)
    first.intake.batches[1]!.settle()
    await polls(3)
    expect(first.intake.batches.map(batch => batch.released)).toEqual([false, false, false])
    first.intake.batches[0]!.settle()
    await expect
      .poll(() => advanced(first.intake.batches.map(batch => batch.released)))
      .toEqual([true, true, false])
    // The process dies here: the third batch comes again, with the ids it had.
    append('a.log', numbered(2_500, 2_600))
    const second = await started({ start_at: 'beginning', storage: 'disk' })
    const again = await second.intake.waitFor(600)
    expect(again[0]!.body).toBe('line 2000')
    expect(again.slice(0, 500).map(record => record.id)).toEqual(
      first.intake.batches[2]!.records.map(record => record.id),
    )
  })

  test('keep the ids of a file that was first seen with one line', async () => {
    write('a.log', 'one\n')
    const first = await started(
      { start_at: 'beginning', storage: 'disk' },
      collectingIntake({ manual: true }),
    )
    await expect.poll(() => first.intake.batches.length).toBe(1)
    append('a.log', numbered(0, 1_000))
    const second = await started({ start_at: 'beginning', storage: 'disk' })
    const [record] = await second.intake.waitFor(1)
    expect(record!.id).toBe(first.intake.records()[0]!.id)
  })

  test('that cannot be written hold the release back, and show', async () => {
    write('a.log', 'one\n')
    let broken = false
    const memory = stored()
    stored({
      ...memory,
      write: changes => (broken ? Promise.reject(new Error('disk full')) : memory.write(changes)),
    })
    const { intake, context } = await started({ start_at: 'beginning', storage: 'disk' })
    await seen(intake, ['one'])
    broken = true
    append('a.log', 'two\n')
    await seen(intake, ['one', 'two'])
    await polls(3)
    expect(intake.batches[1]!.released).toBe(false)
    expect(context.statuses.at(-1)).toEqual({
      status: 'recoverable_error',
      message: 'Checkpoints cannot be stored: disk full',
    })
    broken = false
    await expect.poll(async () => advanced(intake.batches[1]!.released)).toBe(true)
    await expect.poll(async () => advanced(context.statuses.at(-1)?.status)).toBe('ok')
  })

  test('an unknown file waits until the store takes it', async () => {
    write('a.log', 'one\n')
    const memory = stored()
    let broken = true
    stored({
      ...memory,
      write: changes => (broken ? Promise.reject(new Error('disk full')) : memory.write(changes)),
    })
    const { intake } = await started({ start_at: 'beginning', stop_at_end: true, storage: 'disk' })
    await polls(5)
    expect(intake.records()).toEqual([])
    expect(intake.ended).toBe(false)
    broken = false
    await seen(intake, ['one'])
    await expect.poll(() => advanced(intake.ended)).toBe(true)
  })
})

describe('back-pressure', () => {
  test('a busy intake is asked again, and nothing is lost or out of order', async () => {
    write('a.log', numbered(0, 3_000))
    const intake = collectingIntake()
    intake.setBusy({ busy: true, retryAfterMs: 100, reason: 'queue_full' })
    await started({ start_at: 'beginning' }, intake)
    await polls(3)
    expect(intake.records()).toEqual([])
    intake.setBusy(undefined)
    await expect.poll(() => advanced(intake.records().length)).toBe(3_000)
    expect(bodies(intake).join('\n')).toBe(numbered(0, 3_000).trimEnd())
  })

  test('an intake that turns busy after it said it was ready loses nothing', async () => {
    write('a.log', numbered(0, 3_000))
    const intake = collectingIntake()
    let refusals = 2
    const { offer } = intake
    intake.offer = records =>
      refusals-- > 0
        ? Promise.resolve({ busy: true, retryAfterMs: 10, reason: 'queue_full' })
        : offer(records)
    await started({ start_at: 'beginning', stop_at_end: true }, intake)
    await expect.poll(() => advanced(intake.ended)).toBe(true)
    expect(bodies(intake).sort()).toEqual(numbered(0, 3_000).trimEnd().split('\n').sort())
  })

  test('what was refused is taken as soon as the intake is ready, not when an answer said', async () => {
    write('a.log', numbered(0, 3_000))
    const intake = collectingIntake()
    let room = true
    const { offer } = intake
    intake.offer = records => {
      if (!room) return Promise.resolve({ busy: true, retryAfterMs: 3_600_000, reason: 'queue_full' })
      room = false
      setImmediate(() => {
        room = true
      })
      return offer(records)
    }
    intake.ready = async () => {
      while (!room) await new Promise(setImmediate)
    }
    await started({ start_at: 'beginning', stop_at_end: true }, intake)
    await expect.poll(() => advanced(intake.ended)).toBe(true)
    expect(bodies(intake).join('\n')).toBe(numbered(0, 3_000).trimEnd())
  })

  test('no more than 256 batches are unsettled', async () => {
    write('a.log', numbered(0, 350_000))
    const { intake } = await started({ start_at: 'beginning' }, collectingIntake({ manual: true }))
    await expect.poll(() => intake.batches.length).toBeGreaterThanOrEqual(256)
    await polls(5)
    // One read may bring several batches.
    expect(intake.batches.length).toBeLessThan(256 + 70)
    const before = intake.batches.length
    for (const batch of intake.batches.slice(0, before)) batch.settle()
    await expect.poll(() => advanced(intake.batches.length)).toBeGreaterThan(before)
  })
})
