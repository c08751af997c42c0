import { describe, expect, it } from 'vitest'
import { check, type RedisStorageConfig } from './config.js'

describe('the configuration of redis_storage', () => {
  const messages = (config: Partial<RedisStorageConfig>) =>
    check({
      mode: 'single',
      db: 0,
      prefix: 't',
      connect_timeout: '1s',
      timeout: '1s',
      lease_ttl: '5s',
      ...config,
    }).map(({ path, message }) => `${path.join('.')}: ${message}`)

  it('is checked across keys', () => {
    expect(messages({})).toEqual([])
    expect(messages({ endpoint: 'a:1', endpoints: ['b:1'] })).toEqual([
      'endpoint: endpoint and endpoints are both set',
    ])
    expect(messages({ endpoints: ['a:1', 'b:1'] })).toEqual(['endpoints: mode single takes one endpoint'])
    expect(messages({ mode: 'sentinel' })).toEqual([
      'master_name: mode sentinel needs the name of the master',
    ])
    expect(messages({ master_name: 'x' })).toEqual(['master_name: master_name is for mode sentinel'])
    expect(messages({ lease_ttl: '500ms' })).toEqual([
      'lease_ttl: a collector that is only slow would lose its lease',
    ])
    expect(messages({ mode: 'cluster', db: 1 })).toEqual(['db: a cluster has only database 0'])
    expect(messages({ tls: { cert_file: 'x' } })).toEqual(['tls.cert_file: there is a cert without a key'])
  })
})
