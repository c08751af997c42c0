import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RedisStorageConfig } from '../../core/extensions/redis_storage/config.js'
import { freePort } from '../support/free-port.js'
import { redisServerBinary, startRedis, type TestRedis } from '../support/redis.js'
import { startRedisStorage, type TestRedisStorage } from '../support/redis-storage.js'

const runs = redisServerBinary() !== undefined
const SECRET = 'correct-horse'

describe.runIf(runs)('the connection of redis_storage', () => {
  let folder: string
  let guarded: TestRedis
  let encrypted: TestRedis
  let tlsPort: number
  const open: TestRedisStorage[] = []

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tocsin-redis-tls-'))
    makeCertificates(folder)
    tlsPort = await freePort()
    // What the README says.
    const allowed = ['+@read', '+@write', '+@scripting', '+@connection', '+info', '+time']
    const acl = ['--user', 'collector', 'on', `>${SECRET}`, '~tocsin*', ...allowed]
    const narrow = ['--user', 'reader', 'on', `>${SECRET}`, '~*', '+@connection', '+info']
    guarded = await startRedis({
      args: ['--requirepass', SECRET, ...acl, ...narrow],
      cliArgs: ['--no-auth-warning', '-a', SECRET],
    })
    const file = (name: string) => join(folder, name)
    encrypted = await startRedis({
      args: [
        ...[
          '--tls-port',
          `${tlsPort}`,
          '--tls-cert-file',
          file('server.crt'),
          '--tls-key-file',
          file('server.key'),
        ],
        ...['--tls-ca-cert-file', file('ca.crt'), '--tls-auth-clients', 'optional'],
      ],
    })
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map(storage => storage.stop()))
  })
  afterAll(async () => {
    await Promise.all([guarded?.stop(), encrypted?.stop()])
    rmSync(folder, { recursive: true, force: true })
  })

  async function tries(config: Partial<RedisStorageConfig>) {
    const storage = await startRedisStorage({ timeout: '1s', lease_ttl: '5s', ...config })
    open.push(storage)
    const store = storage.storage.keyValue('s')
    const failure = await store.write([{ key: 'a', value: Buffer.from('1') }]).then(
      () => undefined,
      (error: Error & { code: string }) => error,
    )
    // What is told about a connection never tells its password.
    const told = JSON.stringify([
      storage.logs,
      storage.statuses,
      failure?.message,
      failure?.stack,
      failure?.cause ?? '',
    ])
    expect(told).not.toContain(SECRET)
    expect(told).not.toContain('wrong-horse')
    const { status, message = '' } = storage.statuses.at(-1) ?? { status: 'none' }
    return { failure, status, message }
  }

  it('authenticates with a password, or as an ACL user', async () => {
    for (const credentials of [{ password: SECRET }, { username: 'collector', password: SECRET }]) {
      const { failure, status } = await tries({ endpoint: guarded.endpoint, ...credentials, db: 0 })
      expect([failure, status]).toEqual([undefined, 'none'])
    }
  })

  it('needs no more than the README asks for', async () => {
    const credentials = { endpoint: guarded.endpoint, username: 'collector', password: SECRET }
    const extension = await startRedisStorage(credentials)
    open.push(extension)
    const codec = { encode: String, decode: Number }
    const store = extension.storage.state('acl', { codec, maxKeys: 1 })
    const journal = [{ recordId: 'r', outcome: 'o', timer: true }]
    const change = { expected: undefined, state: 1, due: 5n, pinned: false, journal }
    const keys = Array.from({ length: 1_000 }, (_, n) => `k${n}`)
    const { evicted } = await store.write(
      keys.map(key => ({ ...change, key })),
      10n ** 18n,
    )
    expect(evicted).toBeGreaterThan(0)
    expect((await store.due(9n, 5)).length).toBe(5)
    expect((await store.claim(10n ** 18n, 10n ** 18n, 5)).length).toBe(5)
    await store.release([{ key: 'k1', recordId: 'r' }])
    expect(await extension.storage.keyValue('acl').range('', 'z', 9)).toEqual([])
    expect(await extension.storage.lease?.('acl').take('me')).toMatchObject({ held: true })
    expect(extension.statuses).toEqual([])
  })

  it('says what is wrong with the credentials', async () => {
    const at = `Redis at ${guarded.endpoint}`
    const wrong = await tries({ endpoint: guarded.endpoint, password: 'wrong-horse' })
    expect(wrong.message).toBe(`${at} refused the credentials: check username and password (WRONGPASS).`)
    expect(wrong.status).toBe('recoverable_error')
    expect(wrong.failure?.message).toContain(at)
    const missing = await tries({ endpoint: guarded.endpoint })
    expect(missing.message).toBe(
      `${at} wants a password: set password (and username, if it has ACL users) (NOAUTH).`,
    )
    const reader = await tries({ endpoint: guarded.endpoint, username: 'reader', password: SECRET })
    expect(reader.failure?.message).toContain('does not let this user do that')
  })

  it('warns of a server that may forget', async () => {
    const warnings = async () => {
      const storage = await startRedisStorage({ endpoint: encrypted.endpoint })
      open.push(storage)
      // The answer to what it asked first is there when this one is.
      await storage.redis.call('PING', [])
      await new Promise(resolve => setImmediate(resolve))
      return storage.logs.filter(({ message }) => message.includes('may forget')).map(log => log.attributes)
    }
    encrypted.cli('config', 'set', 'maxmemory-policy', 'volatile-lru')
    expect(await warnings()).toEqual([])
    encrypted.cli('config', 'set', 'maxmemory', '100mb')
    expect(await warnings()).toEqual([{ maxmemory_policy: 'volatile-lru' }])
    encrypted.cli('config', 'set', 'maxmemory-policy', 'noeviction')
    expect(await warnings()).toEqual([])
  })

  it('selects the database', async () => {
    const { failure } = await tries({ endpoint: encrypted.endpoint, db: 3 })
    expect(failure).toBeUndefined()
    expect(encrypted.cli('-n', '3', 'dbsize').trim()).not.toBe('0')
    const beyond = await tries({ endpoint: encrypted.endpoint, db: 99 })
    expect(`${beyond.message} ${beyond.failure?.message}`).toContain(
      'has no database of that number: check db',
    )
  })

  it('speaks TLS, and verifies', async () => {
    const tls = { ca_file: join(folder, 'ca.crt') }
    const endpoint = `localhost:${tlsPort}`
    expect((await tries({ endpoint, tls })).failure).toBeUndefined()
    const mutual = { ...tls, cert_file: join(folder, 'server.crt'), key_file: join(folder, 'server.key') }
    expect((await tries({ endpoint, tls: mutual })).failure).toBeUndefined()
    expect((await tries({ endpoint, tls: { insecure_skip_verify: true } })).failure).toBeUndefined()
    expect((await tries({ endpoint: encrypted.endpoint, tls: { insecure: true } })).failure).toBeUndefined()
  })

  it('says what is wrong with TLS', async () => {
    const endpoint = `localhost:${tlsPort}`
    expect((await tries({ endpoint, tls: {} })).message).toMatch(
      /has a TLS certificate that is not trusted: set tls.ca_file/,
    )
    const other = await tries({
      endpoint,
      tls: { ca_file: join(folder, 'ca.crt'), server_name_override: 'other' },
    })
    expect(other.message).toMatch(/has a TLS certificate for another name/)
    const plain = await tries({ endpoint: encrypted.endpoint, tls: { ca_file: join(folder, 'ca.crt') } })
    expect(plain.message).toMatch(/does not speak TLS|does that port speak TLS/)
    await expect(
      startRedisStorage({ endpoint, tls: { ca_file: join(folder, 'none') } }),
    ).rejects.toMatchObject({
      code: 'tls_file_unreadable',
    })
  })

  it('says when nobody is there', async () => {
    const port = await freePort()
    // ioredis 6.0.0 rejects with less, "Connection is closed." (findings/ioredis-connect-rejection.sh).
    const { message, failure } = await tries({ endpoint: `127.0.0.1:${port}` })
    expect(message).toBe(`Redis at 127.0.0.1:${port} refused the connection (ECONNREFUSED).`)
    expect(failure?.message).toContain('is not connected')
  })

  it('finds the master through sentinels', async () => {
    const config = join(folder, 'sentinel.conf')
    writeFileSync(config, `sentinel monitor main 127.0.0.1 ${encrypted.port} 1\n`)
    const sentinel = await startRedis({ config, args: ['--sentinel'] })
    try {
      const settings = { mode: 'sentinel' as const, endpoints: [sentinel.endpoint] }
      expect((await tries({ ...settings, master_name: 'main', prefix: 'through' })).failure).toBeUndefined()
      expect(encrypted.cli('keys', 'through*')).toContain('through:')
    } finally {
      await sentinel.stop()
    }
  })
})

function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...ec,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  )
  openssl('req', ...ec, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost')
  openssl(
    ...['x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-out', 'server.crt', '-days', '2', '-extfile', 'names'],
  )
}
