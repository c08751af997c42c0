import { afterEach, expect, test } from 'vitest'
import { sayAlertSchema } from './alert-schema.js'
import { speakLanguage } from './text.js'

afterEach(() => speakLanguage('en'))

test.each([
  ['immediate', true, 'Alerts at the first event. Recovers at the first that says so.'],
  ['immediate,3600', false, 'Alerts at the first event. Ends by itself 1h after it fired.'],
  [
    'threshold,3,300,2,60,1800',
    true,
    'Alerts at 3 events within 5m. Recovers at 2 that say so within 1m. Ends by itself 30m after it fired.',
  ],
  ['threshold,1,300,1,60', true, 'Alerts at the first event. Recovers at the first that says so.'],
])('%s', (schema, recovers, said) => {
  expect(sayAlertSchema(schema, recovers)).toBe(said)
})

test('in German', () => {
  speakLanguage('de')
  expect(sayAlertSchema('threshold,3,300,2,60,1800', true)).toBe(
    'Alarmiert bei 3 Ereignissen innerhalb von 5 Min. Endet bei 2, die innerhalb von 1 Min Entwarnung geben. Endet von selbst 30 Min nach dem Auslösen.',
  )
})
