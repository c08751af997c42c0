import { expect, test } from 'vitest'
import { type Exporter, type ExportRequest, PermanentError } from '../component/index.js'
import { toldWithoutSecrets } from './told-without-secrets.js'

const redact = (text: string): string => text.replaceAll('hunter2', '[REDACTED]')
const request: ExportRequest = { records: [], pipeline: 'logs', queuedAt: 0n, attempt: 1 }
const sent = (send: Exporter['send'], more = {}) =>
  toldWithoutSecrets({ send }, redact).send({ ...request, ...more }, new AbortController().signal)

test('reasons and what was said tell no secrets, and mean what they meant', async () => {
  const said: string[] = []
  const answered = (text: string): void => {
    said.push(text)
  }
  expect(await sent(async ({ answered: say }) => say?.('250 for hunter2') ?? 'ok', { answered })).toBe('ok')
  expect(said).toEqual(['250 for [REDACTED]'])
  expect(await sent(async () => ({ reason: 'no hunter2', retryAfterMs: 5 }))).toEqual({
    reason: 'no [REDACTED]',
    retryAfterMs: 5,
  })
  expect(await sent(async () => ({ refused: [0], reason: 'hunter2' }))).toEqual({
    refused: [0],
    reason: '[REDACTED]',
  })
})

test('what is thrown tells no secrets, and is retried or not as before', async () => {
  const plain = new TypeError('no URL: http://u:hunter2@x')
  await expect(sent(async () => Promise.reject(plain))).rejects.toMatchObject({
    message: 'no URL: http://u:[REDACTED]@x',
    retryable: undefined,
  })
  const permanent = new PermanentError('refused', 'never hunter2')
  await expect(sent(async () => Promise.reject(permanent))).rejects.toMatchObject({
    message: 'never [REDACTED]',
    retryable: false,
  })
  const harmless = new Error('down')
  await expect(sent(async () => Promise.reject(harmless))).rejects.toBe(harmless)
})

test('what is no answer is left to who asked', async () => {
  expect(await sent((async () => undefined) as unknown as Exporter['send'])).toBeUndefined()
})
