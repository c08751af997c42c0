import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import type { Lease } from './budget.js'
import { Budget } from './budget.js'
import { frameOf, inspectFrame, readFrame } from './grpc-frame.js'
import { readAll } from './read.js'

it('takes a message byte by byte, and keeps few pieces of it', async () => {
  const message = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index & 0xff))
  const source = new PassThrough()
  let most = 0
  const found = readAll(source, {
    limit: 200_000,
    lease: new Budget(200_000).lease() as Lease,
    inspect: (chunks, size) => {
      most = Math.max(most, chunks.length)
      return inspectFrame(chunks, size, 200_000)
    },
  })
  for (const byte of frameOf(message)) source.emit('data', Buffer.of(byte))
  source.emit('end')
  expect(readFrame((await found) as Buffer, undefined)).toEqual({ message, compression: undefined })
  expect(most).toBeLessThan(1_000)
})
