import type { LogRecord } from 'tocsin/component'
import { notificationOf } from 'tocsin/notification'
import { VirtualClock } from 'tocsin/testing'
import { expect, test } from 'vitest'
import type { Matcher, SilenceFields } from '../../core/toolkit/history/index.js'
import { type HistoryCollector, historyOfTest } from '../support/alert-history.js'

const clock = new VirtualClock()
const MINUTE = 60_000

test('a silence holds back, goes on counting, and says who and why', async () => {
  const { history, feed, paged, collector } = await started()
  const silence = await history.setSilence(fields({ severity: 'critical' }))
  expect(silence).toMatchObject({ state: 'active', createdBy: 'anna', comment: 'maintenance' })
  await feed(['down pg', 'down pg', 'up'])
  await feed(['slow'])
  await clock.advance(1_000)
  expect(paged.map(statusOf)).toEqual(['alert Slow'])
  expect(await history.figures()).toMatchObject({
    alerts: 2,
    recoveries: 1,
    duplicates: 1,
    suppressed: 2,
    sent: 1,
  })
  expect((await history.notifications({ states: ['suppressed'] })).items).toMatchObject([
    { tells: 'recovery', reason: 'silenced', silences: [silence.id], attempts: 0 },
    { tells: 'alert', reason: 'silenced', silences: [silence.id] },
  ])
  expect(await collector.metric('tocsin_exporter_withheld_log_records_total', 'reason="silenced"')).toBe(2)
})

test('what is active when a silence ends is told then, through the same pipeline', async () => {
  const { history, feed, paged } = await started()
  await feed(['down pg'], 'before')
  await clock.advance(1_000)
  await history.setSilence(fields({ severity: 'critical' }))
  await feed(['down pg'], 'within')
  await feed(['down pg'], 'over')
  await feed(['up'], 'over')
  await feed(['slow'], 'other')
  await feed(['down again'], 'within')
  await clock.advance(1_000)
  expect((await history.active({ hosts: ['within'] })).items[0]?.silencedBy).toHaveLength(1)
  expect(paged.map(statusOf)).toEqual(['alert Database down', 'alert Slow'])
  await clock.advance(10 * MINUTE)
  const reminders = paged.slice(2).filter(record => statusOf(record) === 'alert Database down')
  expect(reminders.map(hostOf)).toEqual(['before', 'within'])
  expect(reminders[1]?.attributes.alert).toMatchObject({
    status: 'alert',
    duplicate_count: 1n,
    silence: { created_by: 'anna', comment: 'maintenance' },
  })
  const [, told] = reminders.map(record =>
    notificationOf(record, { pipeline: 'x', timeZone: 'UTC', now: clock.now() }),
  )
  expect(told?.title).toBe('[STILL ACTIVE] Database down (within)')
  expect(told?.body).toMatch(/Silenced: until .* UTC, by anna: maintenance/)
  expect(told?.key).toMatch(/\.silence\./)
  expect((await history.notifications({ hosts: ['within'], states: ['sent'] })).items).toMatchObject([
    { tells: 'reminder' },
  ])
  await clock.advance(10 * MINUTE)
  expect(paged.filter(record => statusOf(record) === 'alert Database down')).toHaveLength(3)
})

test('what another silence still holds back is not told at the end of the first', async () => {
  const { history, feed, paged } = await started()
  await history.setSilence(fields({ severity: 'critical' }))
  const longer = await history.setSilence({ ...fields({ host: 'db-1' }), endsAt: now() + 20 * MINUTE })
  await feed(['down pg'])
  await clock.advance(11 * MINUTE)
  expect(paged).toEqual([])
  await history.expireSilence(longer.id)
  await clock.advance(1_000)
  expect(paged.map(statusOf)).toEqual(['alert Database down'])
  await expect(history.expireSilence(longer.id)).rejects.toMatchObject({ code: 'silence_expired' })
  await expect(history.expireSilence('none')).rejects.toMatchObject({ code: 'unknown_silence' })
})

test('silences change as in Alertmanager', async () => {
  const { history } = await started()
  const first = await history.setSilence(fields({ host: 'a' }))
  const longer = await history.setSilence({ ...first, comment: 'longer', endsAt: first.endsAt + MINUTE })
  expect(longer).toMatchObject({ id: first.id, comment: 'longer', endsAt: first.endsAt + MINUTE })
  const other = await history.setSilence({ ...longer, matchers: matchersOf({ host: 'b' }) })
  expect(other.id).not.toBe(first.id)
  expect((await history.silence(first.id))?.state).toBe('expired')
  const later = await history.setSilence({ ...fields({ host: 'c' }), startsAt: now() + MINUTE })
  expect(later.state).toBe('pending')
  expect((await history.silences()).map(({ state }) => state)).toEqual(['active', 'pending', 'expired'])
  expect(history.silencedBy({ host: 'b' })).toEqual([other.id])
  expect(history.silencedBy({ host: 'c' })).toEqual([])
  await clock.advance(MINUTE)
  expect(history.silencedBy({ host: 'c' })).toEqual([later.id])
  await clock.advance(9 * MINUTE)
  expect(history.silencedBy({ host: 'c' })).toEqual([])
})

test.each<[Partial<SilenceFields>, RegExp]>([
  [{ matchers: [] }, /at least one matcher/],
  [
    { matchers: [{ name: 'a', value: '.*', isRegex: true, isEqual: true }] },
    /must not match the empty string/,
  ],
  [{ matchers: [{ name: 'a', value: '(', isRegex: true, isEqual: true }] }, /regular expression/],
  [{ endsAt: 0 }, /start time must be before end time/],
  [{ startsAt: 0, endsAt: 1 }, /end time can't be in the past/],
  [{ comment: 'x'.repeat(3_000) }, /longer than/],
  [{ startsAt: Number.NaN }, /start and an end/],
])('%j is refused', async (wrong, message) => {
  const { history } = await started()
  await expect(history.setSilence({ ...fields({ host: 'a' }), ...wrong })).rejects.toThrow(message)
  await expect(history.setSilence({ ...fields({ host: 'a' }), id: 'none' })).rejects.toMatchObject({
    code: 'unknown_silence',
  })
  expect(await history.silences()).toEqual([])
})

function fields(labels: { readonly [name: string]: string }): SilenceFields {
  return {
    matchers: matchersOf(labels),
    startsAt: now(),
    endsAt: now() + 10 * MINUTE,
    createdBy: 'anna',
    comment: 'maintenance',
  }
}

function matchersOf(labels: { readonly [name: string]: string }): readonly Matcher[] {
  return Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }))
}

function statusOf({ attributes }: LogRecord): string {
  const { status, normalized_message } = attributes.alert as { status: string; normalized_message: string }
  return `${status} ${normalized_message}`
}

function hostOf({ resource }: LogRecord): unknown {
  return resource.attributes['host.name']
}

function started(): Promise<HistoryCollector> {
  return historyOfTest(clock)
}

function now(): number {
  return Number(clock.now() / 1_000_000n)
}
