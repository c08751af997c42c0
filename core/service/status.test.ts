import { expect, it } from 'vitest'
import { VirtualClock } from '../testing/index.js'
import { StatusBoard, type StatusKey } from './status.js'

const storage: StatusKey = { kind: 'extension', id: 'redis_storage', pipelines: [] }
const exporter: StatusKey = { kind: 'exporter', id: 'webhook', pipelines: ['logs', 'traces'] }

it('is as its worst component is, while it runs', () => {
  const board = new StatusBoard(new VirtualClock(), '1')
  board.started(storage)
  // Nothing that would be wrong is known yet, and still it is not ready.
  expect(board.status().status).toBe('starting')
  board.started(exporter)
  board.phase = 'running'
  expect(board.status()).toMatchObject({ status: 'ok', extensions: { redis_storage: { status: 'ok' } } })
  board.set(exporter, { status: 'recoverable_error', message: 'The queue is full.' })
  expect(board.status()).toMatchObject({
    status: 'recoverable_error',
    pipelines: {
      logs: {
        status: 'recoverable_error',
        components: { 'exporter:webhook': { message: 'The queue is full.' } },
      },
      traces: { status: 'recoverable_error' },
    },
  })
  board.phase = 'stopping'
  board.clearPipelines()
  expect(board.status().status).toBe('stopping')
})

it('forgets an extension that is gone', () => {
  const board = new StatusBoard(new VirtualClock(), '1')
  board.phase = 'running'
  board.set(storage, { status: 'recoverable_error', message: 'down' })
  expect(board.status().status).toBe('recoverable_error')
  board.forget(storage)
  expect(board.status()).toMatchObject({ status: 'ok', extensions: {} })
})
