import { expect, it } from 'vitest'
import { errorText, PermanentError } from './errors.js'

it('says the cause of an error once', () => {
  const cause = new Error('listen EADDRINUSE: address already in use 127.0.0.1:80')
  const named = new PermanentError('listen_failed', `Cannot listen: ${cause.message}.`, { cause })
  expect(errorText(named)).toBe(named.message)
  expect(errorText(new PermanentError('listen_failed', 'Cannot listen', { cause }))).toBe(
    'Cannot listen: listen EADDRINUSE: address already in use 127.0.0.1:80',
  )
  expect(errorText(new Error('', { cause: new Error('') }))).toBe('Error')
})
