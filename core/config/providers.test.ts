import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AROUND, load, memoryEnvironment, problemsOf } from '../../test/fixtures/config-loading.js'
import { processEnvironment } from './environment.js'

const WHOLE = `${AROUND}processors: {throttle: {count: 1, window: 1m}}\n`

describe('sources', () => {
  const environment = memoryEnvironment(
    {
      '/etc/tocsin/base.yaml': WHOLE,
      '/etc/tocsin/conf.d/more.yaml': 'processors: {throttle: {count: 5}}\n',
      '/etc/tocsin/list.yaml': '- a\n',
      '/etc/tocsin/utf16.yaml': '\uFFFD\uFFFDr\0e\0',
      '/etc/tocsin/empty.yaml': '# nothing\n',
    },
    { WHOLE },
  )
  const count = async (sources: string[], sets: string[] = []) => {
    const { config } = await load(sources, environment, { sets })
    return (config.processors.throttle!.config as { count: number }).count
  }

  it('are paths, file:, env: and yaml:, later over earlier', async () => {
    expect(await count(['base.yaml'])).toBe(1)
    expect(await count(['file:base.yaml', 'conf.d/more.yaml'])).toBe(5)
    expect(await count(['env:WHOLE', 'yaml:processors::throttle::count: 7'])).toBe(7)
    expect(await count([`yaml:${WHOLE}`, 'yaml:processors: {throttle: {count: 8}}'])).toBe(8)
  })

  it('give way to --set, whose values are YAML', async () => {
    expect(await count(['base.yaml'], ['processors.throttle.count=9'])).toBe(9)
    const { config } = await load(['base.yaml'], environment, {
      sets: [
        'processors.throttle.key=a=b',
        'service.pipelines.logs.exporters=[file]',
        'exporters.file={path: x}',
      ],
    })
    expect(config.processors.throttle?.config).toMatchObject({ key: 'a=b' })
    expect(config.service.pipelines.logs?.exporters).toEqual(['file'])
  })

  it('decide where relative paths start', async () => {
    expect(await load(['conf.d/more.yaml', 'base.yaml'], environment)).toMatchObject({
      baseDir: '/etc/tocsin/conf.d',
      files: ['/etc/tocsin/conf.d/more.yaml', '/etc/tocsin/base.yaml'],
    })
    expect(await load(['env:WHOLE'], environment)).toMatchObject({ baseDir: '/etc/tocsin', files: [] })
  })

  it('are named in problems', async () => {
    const problems = (...sources: string[]) => problemsOf(load(sources, environment))
    expect(await problems()).toEqual(['there is no configuration (name a file with --config FILE)'])
    expect(await problems('none.yaml')).toEqual([
      'none.yaml: the file does not exist (looked for /etc/tocsin/none.yaml)',
    ])
    expect(await problems('utf16.yaml')).toEqual([
      'utf16.yaml: the file is no UTF-8 text, but UTF-16 or binary (save it as UTF-8)',
    ])
    expect(await problems('env:NONE')).toEqual(['env:NONE: the variable is not set (set NONE to YAML text)'])
    expect(await problems('list.yaml')).toEqual([
      'list.yaml:1:1: found a list where keys and values belong (the top level has the keys receivers, processors, exporters, service)',
    ])
    expect((await problems('empty.yaml'))[0]).toContain('empty.yaml: the configuration is empty')
    expect((await problems('s3:bucket'))[0]).toContain('"s3:" is not a way to read a configuration')
    expect(
      await problems('base.yaml', 'conf.d/more.yaml', 'yaml:processors: {throttle: {count: 0}}'),
    ).toEqual(['--config[3]:1:32: processors.throttle.count: 0 is too small (the least is 1)'])
    expect(
      await problemsOf(
        load(['base.yaml'], environment, { sets: ['processors.throttle.count=x', 'a', '.b=1'] }),
      ),
    ).toEqual([
      '--set .b: the key path has an empty part (write --set key.path=value, such as --set service.telemetry.logs.level=debug)',
      '--set a: there is no "=" (write --set key.path=value, such as --set service.telemetry.logs.level=debug)',
      '--set processors.throttle.count: processors.throttle.count: expected a whole number, found the text "x" (such as 3)',
    ])
  })
})

describe('http sources', () => {
  let server: Server
  let base: string

  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/config') response.end(WHOLE)
      else if (request.url === '/mine')
        response.writeHead(request.headers.authorization === `Basic ${btoa('me:p/w')}` ? 200 : 401).end(WHOLE)
      else if (request.url === '/huge') response.end(Buffer.alloc(5 * 1024 * 1024, 'a'))
      else response.writeHead(404).end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => void server.close())

  it('are read over the network, within limits', async () => {
    const environment = processEnvironment()
    expect((await load([`${base}/config`], environment)).config.service.pipelines).toHaveProperty('logs')
    // undici 7.30.2 leaves user and password out (findings/undici-credentials-of-url.sh).
    const mine = `${base.replace('//', '//me:p%2Fw@')}/mine`
    expect((await load([mine], environment)).config.service.pipelines).toHaveProperty('logs')
    expect((await problemsOf(load([`${base}/none?token=abc`], environment)))[0]).toMatch(
      /none\?token=\[REDACTED\]: .*answered with HTTP status 404/,
    )
    expect((await problemsOf(load([`${base}/huge`], environment)))[0]).toContain('larger than 4 MiB')
    expect((await problemsOf(load(['http://127.0.0.1:1/'], environment)))[0]).toContain('could not be read')
  })
})
