import type { RedisCommands } from '#state'

/** The policy by which Redis may forget keys to free memory; undefined when it keeps all, or does not say. */
export async function evictionPolicy(redis: Pick<RedisCommands, 'call'>): Promise<string | undefined> {
  const info = String(await redis.call('INFO', ['memory']).catch(() => ''))
  const [, policy] = /^maxmemory_policy:(\S+)/m.exec(info) ?? []
  const unlimited = /^maxmemory:0\s/m.test(info)
  return unlimited || policy === 'noeviction' ? undefined : policy
}
