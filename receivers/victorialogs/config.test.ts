import { describe, expect, it } from 'vitest'
import { check, gapOptions, type VictoriaLogsConfig } from './config.js'
import { victorialogsReceiver } from './index.js'

const config = (changes: Partial<VictoriaLogsConfig> = {}): VictoriaLogsConfig => ({
  endpoint: 'http://127.0.0.1:9428',
  query: '*',
  ...changes,
})
const messages = (changes: Partial<VictoriaLogsConfig>) =>
  check(config(changes)).map(problem => problem.message)

describe('check', () => {
  it('has nothing to say of a good configuration', () => {
    expect(
      check(config({ basic_auth: { username: 'a', password: 'b' }, headers: { AccountID: '1' } })),
    ).toEqual([])
  })

  it('refuses a query that cannot be tailed, and says what to do', () => {
    expect(check(config({ query: '* | stats count()' }))).toEqual([
      {
        path: ['query'],
        message: 'VictoriaLogs cannot tail a query with the pipe "stats"',
        fix: expect.stringContaining('processor'),
      },
    ])
    expect(messages({ query: '  ' })).toEqual(['the query is empty'])
  })

  it('refuses endpoints that hold more than an endpoint', () => {
    expect(messages({ endpoint: 'http://u:p@h:1' })).toEqual(['the URL holds credentials'])
    expect(messages({ endpoint: 'http://h:1/?query=x' })).toEqual(['the URL has a query string'])
    expect(messages({ endpoint: 'http://h:1/select/logsql/tail' })).toEqual(['the URL names an API path'])
    expect(JSON.stringify(check(config({ endpoint: 'http://u:hunter2@h:1' })))).not.toContain('hunter2')
  })

  it('refuses headers that HTTP does not allow, without showing them', () => {
    const problems = check(config({ headers: { 'X Y': 'a', Token: 'hunter2\r\nEvil: 1' } }))
    expect(problems.map(problem => problem.path)).toEqual([
      ['headers', 'X Y'],
      ['headers', 'Token'],
    ])
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })

  it('warns of two authorizations', () => {
    const problems = check(
      config({ basic_auth: { username: 'a', password: 'b' }, headers: { AUTHORIZATION: 'Bearer x' } }),
    )
    expect(problems).toEqual([
      expect.objectContaining({ severity: 'warning', path: ['headers', 'AUTHORIZATION'] }),
    ])
  })

  it('refuses readings that leave holes', () => {
    expect(messages({ reconcile: { interval: '5m' } })).toEqual([
      expect.stringContaining('look_back is shorter'),
    ])
    expect(messages({ reconcile: { interval: '100ms' } })).toEqual(['the interval is below 1s'])
    expect(messages({ backfill: { max_age: '0' } })).toEqual(['max_age is 0'])
  })
})

describe('gapOptions', () => {
  it('fills in the defaults', () => {
    const defaults = { repeatable: true, maxAgeMs: 3_600_000, reconcileMs: 30_000, lookBackMs: 120_000 }
    expect(gapOptions(config())).toEqual(defaults)
    expect(gapOptions(config({ backfill: true, reconcile: {} }))).toEqual(defaults)
    expect(gapOptions(config({ backfill: { max_age: '24h' } })).maxAgeMs).toBe(86_400_000)
  })

  it('turns reconcile off when a line differs at each reading', () => {
    const options = gapOptions(config({ query: '* | math now() as n', reconcile: true }))
    expect(options).toMatchObject({ repeatable: false, reconcileMs: undefined, maxAgeMs: 3_600_000 })
  })

  it('turns off what is false', () => {
    expect(gapOptions(config({ backfill: false }))).toMatchObject({
      maxAgeMs: undefined,
      reconcileMs: undefined,
    })
    expect(gapOptions(config({ reconcile: false }))).toMatchObject({
      maxAgeMs: 3_600_000,
      reconcileMs: undefined,
    })
  })
})

describe('the schema', () => {
  it('marks every secret, and takes url for endpoint', () => {
    const { schema } = victorialogsReceiver
    expect(schema.aliases).toEqual({ url: 'endpoint' })
    expect(schema.properties?.basic_auth?.properties?.password?.secret).toBe(true)
    expect(schema.properties?.headers?.additionalProperties).toMatchObject({ secret: true })
  })
})
