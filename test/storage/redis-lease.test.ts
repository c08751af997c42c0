import type { LeaseStore } from 'tocsin/component'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisServerBinary, startRedis, type TestRedis } from '../support/redis.js'
import { startRedisStorage, type TestRedisStorage, until } from '../support/redis-storage.js'

describe.skipIf(!redisServerBinary())('leases in Redis', () => {
  let redis: TestRedis
  let storage: TestRedisStorage
  beforeAll(async () => {
    redis = await startRedis()
    storage = await startRedisStorage({ endpoint: redis.endpoint, lease_ttl: '1s' })
  })
  afterAll(async () => {
    await storage.stop()
    await redis.stop()
  })
  const lease = (name: string) => {
    const found = storage.storage.lease?.(name)
    if (!found) throw new Error('There is no lease.')
    return found
  }

  const tokenOf = (answer: Awaited<ReturnType<LeaseStore['take']>>): number => {
    if (!answer.held) throw new Error('Another has the lease.')
    return answer.token
  }

  it('have one holder, whose token is greater than that of the one before', async () => {
    const one = lease('one')
    const first = tokenOf(await one.take('a'))
    expect(await one.take('a')).toEqual({ held: true, token: first })
    const refused = await one.take('b')
    expect(refused).toMatchObject({ held: false })
    expect(refused.held ? 0 : refused.freeInMs).toBeGreaterThan(500)
    await one.free('b')
    expect(await one.take('b')).toMatchObject({ held: false })
    await one.free('a')
    expect(tokenOf(await one.take('b'))).toBeGreaterThan(first)
  })

  it('have another token when Redis lost its data: the holder of before writes nothing', async () => {
    const lost = lease('lost')
    const before = tokenOf(await lost.take('a'))
    const old = storage.storage.keyValue('lost', () => before)
    await storage.redis.call('FLUSHALL', [])
    // In one millisecond they may be equal.
    await new Promise(resolve => setTimeout(resolve, 5))
    expect(tokenOf(await lost.take('b'))).toBeGreaterThan(before)
    await expect(old.write([{ key: 'x', value: Buffer.from('1') }])).rejects.toMatchObject({
      code: 'lease_lost',
    })
  })

  it('run out by the clock of Redis', async () => {
    const out = lease('out')
    await out.take('a')
    await until('it is free', async () => (await out.take('b')).held)
    expect(await out.take('a')).toMatchObject({ held: false })
  })

  it('fence the writes of their namespace: all or nothing, only for the holder', async () => {
    const fenced = lease('kv')
    const token = tokenOf(await fenced.take('a'))
    const mine = storage.storage.keyValue('kv', () => token)
    await mine.write([{ key: 'x', value: Buffer.from('1') }])
    await fenced.free('a')
    await expect(mine.write([{ key: 'x', value: Buffer.from('2') }])).rejects.toMatchObject({
      code: 'lease_lost',
      retryable: true,
    })
    await fenced.take('b')
    await expect(mine.write([{ key: 'y', value: Buffer.from('2') }])).rejects.toThrow(/lease/)
    expect(Buffer.from((await mine.get('x')) ?? []).toString()).toBe('1')
    expect(await mine.get('y')).toBeUndefined()
    const nobody = storage.storage.keyValue('kv', () => undefined)
    await expect(nobody.write([{ key: 'x', value: undefined }])).rejects.toMatchObject({ code: 'lease_lost' })
  })
})
