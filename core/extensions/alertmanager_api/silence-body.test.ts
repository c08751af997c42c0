import { expect, test } from 'vitest'
import { parseSilence } from './silence-body.js'

const MATCHER = { name: 'host', value: 'db-1', isRegex: false }
const BODY = {
  matchers: [MATCHER],
  startsAt: '2026-01-01T00:00:00Z',
  endsAt: '2026-01-01T01:00:00+00:00',
  createdBy: '',
  comment: '',
}

test.each([[{}], [{ isEqual: null }], [{ isEqual: true }]])('%j is =', given => {
  const parsed = parseSilence(JSON.stringify({ ...BODY, matchers: [{ ...MATCHER, ...given }] }))
  expect(parsed).toMatchObject({ fields: { matchers: [{ ...MATCHER, isEqual: true }] } })
})

test.each([
  ['null', 400, /it must be an object/],
  ['{', 400, /parsing silence body/],
  [{ ...BODY, comment: undefined }, 422, /silence.comment in body is required/],
  [{ ...BODY, createdBy: null }, 422, /silence.createdBy in body is required/],
  [{ ...BODY, createdBy: 5 }, 400, /createdBy must be a string/],
  [{ ...BODY, endsAt: 'tomorrow' }, 400, /endsAt must be a time/],
  [{ ...BODY, matchers: [] }, 422, /at least 1/],
  [{ ...BODY, matchers: ['host=db-1'] }, 400, /matchers.0 must be an object/],
  [{ ...BODY, matchers: [{ ...MATCHER, isRegex: 'no' }] }, 400, /matchers.0.isRegex must be a boolean/],
  // It would be a silence of the very alerts that it is not to touch.
  [{ ...BODY, matchers: [{ ...MATCHER, isEqual: 'false' }] }, 400, /matchers.0.isEqual must be a boolean/],
] as const)('%j is refused', (body, code, message) => {
  const parsed = parseSilence(typeof body === 'string' ? body : JSON.stringify(body))
  expect(parsed).toEqual({ code, message: expect.stringMatching(message) })
})
