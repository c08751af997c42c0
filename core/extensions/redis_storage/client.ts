import { Cluster, Redis } from 'ioredis'
import { type ComponentContext, parseDuration } from 'tocsin/component'
import { tlsConnectOptions } from 'tocsin/http'
import type { RedisStorageConfig } from './config.js'
import { isReadOnly } from './explain.js'

const RECONNECT_FIRST_MS = 25
const RECONNECT_MOST_MS = 5_000
const RECONNECT_DEMOTED_EVERY_MS = 5_000

/** A connection that swallows commands without a sound is made anew after so many times its time for an answer, */
export const DEAF_TIMES = 10
/** and not before this. */
export const DEAF_MS = 5_000

/** The client for a configuration, not connected yet. Throws what a person must mend: unreadable TLS files. */
export async function clientOf(
  config: RedisStorageConfig,
  { baseDir, clock, random }: ComponentContext<RedisStorageConfig>,
  endpoints: readonly string[],
): Promise<Redis | Cluster> {
  const hosts = endpoints.map(hostAndPort)
  const tls = usesTls(config) ? await tlsConnectOptions(config.tls, baseDir) : undefined
  const timeoutMs = parseDuration(config.timeout) ?? 500
  const backOff = (times: number): number =>
    Math.min(RECONNECT_FIRST_MS * 2 ** Math.min(times, 10), RECONNECT_MOST_MS) * (0.5 + random())
  let reconnectedMs = Number.NEGATIVE_INFINITY
  /** The master that was made a replica stays on the line; a new connection finds the new one by name or sentinel. */
  const reconnectOnError = (error: Error): boolean => {
    if (!isReadOnly(error) || clock.monotonicMs() - reconnectedMs < RECONNECT_DEMOTED_EVERY_MS) return false
    reconnectedMs = clock.monotonicMs()
    return true
  }
  const options = {
    ...(config.username !== undefined && { username: config.username }),
    ...(config.password !== undefined && { password: config.password }),
    ...(tls && { tls }),
    db: config.db,
    // RESP2 is what every server and proxy speaks.
    protocol: 2 as const,
    replyMapping: 'legacy' as const,
    connectionName: 'tocsin',
    connectTimeout: parseDuration(config.connect_timeout) ?? 2_000,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  }
  switch (config.mode) {
    case 'cluster':
      return new Cluster(hosts, {
        redisOptions: { ...options, socketTimeout: Math.max(timeoutMs * DEAF_TIMES, DEAF_MS) },
        clusterRetryStrategy: backOff,
        // For nodes that are just being connected; without a cluster nothing is sent, see below.
        enableOfflineQueue: true,
        lazyConnect: true,
        // We decide what is worth another try.
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 0,
        maxRedirections: 4,
        slotsRefreshTimeout: Math.max(timeoutMs, 1_000),
        slotsRefreshInterval: 5_000,
        // Certificates are for the names in the configuration.
        ...(tls && {
          dnsLookup: (address: string, answer: (e: null, a: string) => void) => answer(null, address),
        }),
      })
    case 'sentinel':
      return new Redis({
        ...options,
        retryStrategy: backOff,
        reconnectOnError,
        sentinelRetryStrategy: backOff,
        sentinels: hosts,
        name: config.master_name ?? '',
        enableOfflineQueue: false,
        ...(config.sentinel_username !== undefined && { sentinelUsername: config.sentinel_username }),
        ...(config.sentinel_password !== undefined && { sentinelPassword: config.sentinel_password }),
        ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
      })
    case 'single':
      return new Redis({
        ...options,
        ...(hosts[0] as { host: string; port: number }),
        retryStrategy: backOff,
        reconnectOnError,
        enableOfflineQueue: false,
      })
  }
}

export function usesTls({ tls }: RedisStorageConfig): boolean {
  return tls !== undefined && tls.insecure !== true
}

/** `host:port`, `[::1]:6379`, or a host with the port of Redis. */
function hostAndPort(endpoint: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(endpoint)
  return { host: match?.[1] ?? match?.[2] ?? endpoint, port: Number(match?.[3] ?? 6379) }
}
