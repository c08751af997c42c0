import { createRecord } from 'tocsin/component'
import { testContext } from 'tocsin/testing'
import { expect, test } from 'vitest'
import type { Alert } from '#history'
import { changesOf } from './changes.js'
import { LiveAlert, LiveAlerts } from './live-alerts.js'
import { readStory } from './stories.js'

const ALERT = {
  id: 'a1',
  pipeline: 'logs',
  firedAt: 1,
  lastAt: 1,
  duplicates: 0,
  severity: 'critical',
} as Alert

test.each([
  ['first', ['fired', 'adopted']],
  ['last', ['adopted', 'fired']],
] as const)(
  'why an alert fired is as it was where it fired, also when that is written %s',
  async (_, order) => {
    const store = testContext({ config: {} }).storage()
    for (const how of order) {
      const live = new LiveAlert(ALERT)
      const record = createRecord({ id: how, body: `the line that is ${how}` })
      const begun = [{ live, record, ...(how === 'adopted' && { adopted: true as const }) }]
      const unwritten = { begun, ended: [], transitions: [], messages: [], touched: [] }
      await store.write(changesOf(unwritten, [], new LiveAlerts(3), new Set()))
      expect((await readStory(store, ALERT)).why.text).toBe(
        order[0] === 'fired' || how === 'fired' ? 'the line that is fired' : 'the line that is adopted',
      )
    }
  },
)
