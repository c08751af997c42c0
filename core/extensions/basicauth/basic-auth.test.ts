import { createHash } from 'node:crypto'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuthenticatorExtension, Extension, ExtensionFactory, RequestHeaders } from 'tocsin/component'
import { testContext, VirtualClock } from 'tocsin/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { checkConfig as checkBearer } from '../bearertokenauth/config.js'
import { bearerTokenAuthExtension } from '../bearertokenauth/index.js'
import { checkConfig } from './config.js'
import { basicAuthExtension } from './index.js'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const basic = (credentials: string): RequestHeaders => ({
  authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
})
const sha1 = (...parts: (string | Buffer)[]): Buffer =>
  createHash('sha1')
    .update(Buffer.concat(parts.map(part => Buffer.from(part))))
    .digest()

describe('basicauth', () => {
  it('lets users with their password pass, whatever the way it is kept', async () => {
    const salt = Buffer.from('salt')
    const inline = [
      '# comment',
      'ann:pass:with:colons',
      `bob:{SHA}${sha1('bobs').toString('base64')}`,
      `eve:{SSHA}${Buffer.concat([sha1('eves', salt), salt]).toString('base64')}`,
    ].join('\n')
    expect(checkConfig({ htpasswd: { inline } })).toEqual([])
    const { authenticate } = await started(basicAuthExtension, { htpasswd: { inline } })
    for (const right of ['ann:pass:with:colons', 'bob:bobs', 'eve:eves'])
      expect(authenticate?.(basic(right))).toBeUndefined()
    for (const wrong of ['ann:pass', 'ann:', 'bob:eves', 'eve:bobs', 'nobody:nothing', ':', 'ann'])
      expect(authenticate?.(basic(wrong))).toMatchObject({ reason: 'wrong_credentials' })
    for (const header of ['', 'Basic', 'Bearer x', 'Basic !!!'])
      expect(authenticate?.({ authorization: header })).toMatchObject({ reason: 'wrong_credentials' })
    expect(authenticate?.({})).toEqual({
      reason: 'missing_credentials',
      challenge: 'Basic realm="tocsin", charset="UTF-8"',
    })
  })

  it('reads its file again when it changes, and keeps the users when it is wrong', async () => {
    const folder = await newFolder()
    await writeFile(join(folder, 'users'), 'ann:old\n')
    const { authenticate, clock, logs } = await started(
      basicAuthExtension,
      { htpasswd: { file: 'users' } },
      folder,
    )
    const passes = (credentials: string) => authenticate?.(basic(credentials)) === undefined
    expect(passes('ann:old')).toBe(true)
    await replaceFile(join(folder, 'users'), 'ann:new\n')
    await turn(clock, () => passes('ann:new'))
    expect(passes('ann:old')).toBe(false)
    await replaceFile(join(folder, 'users'), 'ann:newer\nbob:$2y$05$abc\n')
    await turn(clock, () => logs.length > 0)
    expect(logs[0]?.attributes.reason).toMatch(/line 2: this kind of hash is not supported/)
    expect(passes('ann:new')).toBe(true)
  })

  it('sends its own credentials, and only what it was configured for', async () => {
    const client = await started(basicAuthExtension, { client_auth: { username: 'ann', password: 's3cret' } })
    expect(client.headers?.()).toEqual(basic('ann:s3cret'))
    expect(client.authenticate).toBeUndefined()
    const server = await started(basicAuthExtension, { htpasswd: { inline: 'a:b' } })
    expect(server.headers).toBeUndefined()
  })

  it('explains its configuration without telling secrets', () => {
    expect(checkConfig({})).toMatchObject([{ message: 'there are no credentials' }])
    expect(checkConfig({ htpasswd: {} })).toMatchObject([{ fix: 'add file or inline' }])
    const [problem] = checkConfig({ htpasswd: { inline: 'ann:$apr1$x$y' } })
    expect(problem?.message).toMatch(/^line 1: this kind/)
    expect(checkConfig({ htpasswd: { inline: 'ann:{SHA}AQID\nbob:{SSHA}' } })).toMatchObject([
      { message: expect.stringMatching(/^line 1: the hash is cut off/) },
      { message: expect.stringMatching(/^line 2: the hash is cut off/) },
    ])
    expect(JSON.stringify(checkConfig({ htpasswd: { inline: 's3cret' } }))).not.toContain('s3cret')
  })
})

describe('bearertokenauth', () => {
  const config = { scheme: 'Bearer', header: 'Authorization' }

  it('lets its tokens pass and sends the first', async () => {
    const { authenticate, headers } = await started(bearerTokenAuthExtension, {
      ...config,
      tokens: ['one', 'two'],
    })
    expect(authenticate?.({ authorization: 'Bearer one' })).toBeUndefined()
    expect(authenticate?.({ authorization: 'Bearer two' })).toBeUndefined()
    for (const wrong of ['Bearer three', 'one', 'bearer one', 'Bearer one ', ''])
      expect(authenticate?.({ authorization: wrong })).toMatchObject({ reason: 'wrong_credentials' })
    expect(authenticate?.({})).toEqual({ reason: 'missing_credentials', challenge: 'Bearer' })
    expect(headers?.()).toEqual({ authorization: 'Bearer one' })
  })

  it('takes another header and no scheme', async () => {
    const { authenticate, headers } = await started(bearerTokenAuthExtension, {
      scheme: '',
      header: 'X-API-Key',
      token: 't',
    })
    expect(authenticate?.({ 'x-api-key': 't' })).toBeUndefined()
    expect(headers?.()).toEqual({ 'x-api-key': 't' })
  })

  it('reads its file again when it changes', async () => {
    const folder = await newFolder()
    await writeFile(join(folder, 'token'), 'old\n')
    const filename = 'token'
    const { authenticate, headers, clock, logs } = await started(
      bearerTokenAuthExtension,
      { ...config, filename },
      folder,
    )
    expect(headers?.()).toEqual({ authorization: 'Bearer old' })
    await replaceFile(join(folder, 'token'), 'new\nother\n')
    await turn(clock, () => headers?.().authorization === 'Bearer new')
    expect(authenticate?.({ authorization: 'Bearer old' })).toBeDefined()
    expect(authenticate?.({ authorization: 'Bearer other' })).toBeUndefined()
    await replaceFile(join(folder, 'token'), '\n')
    await turn(clock, () => logs.length > 0)
    expect(authenticate?.({ authorization: 'Bearer new' })).toBeUndefined()
    await expect(started(bearerTokenAuthExtension, { ...config, filename: 'none' }, folder)).rejects.toThrow(
      /cannot be read/,
    )
  })

  it('explains its configuration', () => {
    expect(checkBearer(config)).toMatchObject([{ message: 'there is no token' }])
    expect(checkBearer({ ...config, token: 'a', filename: 'b' })).toMatchObject([{ path: ['filename'] }])
    expect(checkBearer({ ...config, token: 'a', header: 'a b' })).toMatchObject([{ path: ['header'] }])
  })
})

async function started<C extends object>(factory: ExtensionFactory<C>, config: C, baseDir = '/') {
  const clock = new VirtualClock()
  const context = testContext<C>({ config, baseDir, clock })
  const extension = factory.create(context) as Extension & AuthenticatorExtension
  stops.push(async () => {
    await extension.stop?.()
    expect(clock.pending).toBe(0)
  })
  await extension.start?.(undefined as never)
  const { authenticate, headers } = extension
  return {
    authenticate: authenticate?.bind(extension),
    headers: headers?.bind(extension),
    clock,
    logs: context.logs,
  }
}

async function turn(clock: VirtualClock, done: () => boolean): Promise<void> {
  while (!done()) {
    await clock.advance(10_000)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
  stops.push(() => rm(folder, { recursive: true }))
  return folder
}

/** At once, as people are told to: a look at a file that is half written is another story. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}
