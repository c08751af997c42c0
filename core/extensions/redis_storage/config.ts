import { type CheckProblem, type ConfigSchema, durationMs } from 'tocsin/component'
import { checkTls, type TlsClientConfig, tlsSchema } from 'tocsin/http'

export interface RedisStorageConfig {
  readonly endpoint?: string
  readonly endpoints?: readonly string[]
  readonly mode: 'single' | 'cluster' | 'sentinel'
  readonly master_name?: string
  readonly username?: string
  readonly password?: string
  readonly sentinel_username?: string
  readonly sentinel_password?: string
  readonly db: number
  readonly prefix: string
  readonly tls?: TlsClientConfig
  readonly connect_timeout: string | number
  readonly timeout: string | number
  readonly lease_ttl: string | number
}

const endpoint: ConfigSchema = { type: 'string', format: 'endpoint', examples: ['redis:6379'] }

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  aliases: { database: 'db' },
  synonyms: {
    url: 'endpoint',
    host: 'endpoint',
    address: 'endpoint',
    addresses: 'endpoints',
    addrs: 'endpoints',
    nodes: 'endpoints',
    user: 'username',
    key_prefix: 'prefix',
    sentinels: 'endpoints',
    master: 'master_name',
  },
  properties: {
    endpoint: { ...endpoint, description: 'Where Redis is, `host:port`. Default 127.0.0.1:6379.' },
    endpoints: {
      type: 'array',
      minItems: 1,
      items: endpoint,
      description: 'Some nodes of a cluster, or the sentinels.',
    },
    mode: {
      enum: ['single', 'cluster', 'sentinel'],
      default: 'single',
      description: 'One server, Redis Cluster, or a master that sentinels know.',
    },
    master_name: {
      type: 'string',
      minLength: 1,
      description: 'The name that the sentinels have for the master.',
    },
    username: { type: 'string', description: 'The ACL user.' },
    password: { type: 'string', secret: true, description: 'The password.' },
    sentinel_username: { type: 'string', description: 'The ACL user of the sentinels, if they want one.' },
    sentinel_password: { type: 'string', secret: true, description: 'The password of the sentinels.' },
    db: {
      type: 'integer',
      minimum: 0,
      default: 0,
      description: 'The number of the database; a cluster has only 0.',
    },
    prefix: {
      type: 'string',
      minLength: 1,
      default: 'tocsin',
      description: 'All keys start with it. Collectors that share state have the same.',
    },
    tls: {
      ...tlsSchema,
      description: 'TLS to Redis. Without this block, or with `insecure: true`, there is none.',
    },
    connect_timeout: {
      type: ['string', 'number'],
      format: 'duration',
      default: '2s',
      description: 'How long a connection may take to be made.',
    },
    timeout: {
      type: ['string', 'number'],
      format: 'duration',
      default: '500ms',
      description: 'How long Redis may be silent when it is asked before the collector goes on without it.',
    },
    lease_ttl: {
      type: ['string', 'number'],
      format: 'duration',
      default: '5s',
      description: 'How long after the death of a collector another takes over what only one may do.',
    },
  },
}

/** What the schema cannot say. */
export function check(config: RedisStorageConfig): CheckProblem[] {
  const problems: CheckProblem[] = checkTls(config.tls, ['tls'])
  if (config.endpoint !== undefined && config.endpoints !== undefined) {
    problems.push({
      path: ['endpoint'],
      message: 'endpoint and endpoints are both set',
      fix: 'keep one of them',
    })
  }
  if (config.mode === 'single' && (config.endpoints?.length ?? 0) > 1) {
    problems.push({
      path: ['endpoints'],
      message: 'mode single takes one endpoint',
      fix: 'set mode: cluster or mode: sentinel',
    })
  }
  if (config.mode === 'sentinel' && config.master_name === undefined) {
    problems.push({
      path: ['master_name'],
      message: 'mode sentinel needs the name of the master',
      fix: 'add master_name, as in `sentinel monitor NAME ...` of the sentinels',
    })
  }
  if (config.mode !== 'sentinel' && config.master_name !== undefined) {
    problems.push({
      path: ['master_name'],
      message: 'master_name is for mode sentinel',
      fix: 'set mode: sentinel',
    })
  }
  if (durationMs(config.lease_ttl) < 1_000) {
    problems.push({
      path: ['lease_ttl'],
      message: 'a collector that is only slow would lose its lease',
      fix: 'set at least 1s',
    })
  }
  if (config.mode === 'cluster' && config.db !== 0) {
    problems.push({ path: ['db'], message: 'a cluster has only database 0', fix: 'leave db out' })
  }
  return problems
}
