import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { credentials } from '@grpc/grpc-js'
import { createRecord } from 'tocsin/component'
import { decodeStatus, encodeOtlpProto, RPC_CODE } from 'tocsin/otlp'
import { VirtualClock } from 'tocsin/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { grpcClient } from '../../test/support/otlp-client.js'
import { started } from '../../test/support/otlp-receiver.js'

const FIXTURES = fileURLToPath(new URL('../../core/toolkit/http/fixtures', import.meta.url))
const fixture = (name: string): string => join(FIXTURES, name)
const body = encodeOtlpProto([createRecord({ id: '', body: 'x' })])
const PROTO = { 'content-type': 'application/x-protobuf' }

describe('auth', () => {
  it('lets only those pass whom the authenticator knows', async () => {
    const auth = { authenticator: 'a' }
    const authenticator = {
      authenticate: ({ authorization }: { authorization?: string }) =>
        authorization === 'yes'
          ? undefined
          : { reason: authorization ? 'wrong_credentials' : 'missing_credentials', challenge: 'Basic x' },
    }
    const receiver = await started({ http: { auth }, grpc: { auth } }, { extensions: { a: authenticator } })
    const refused = await receiver.post(body, PROTO)
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic x'])
    expect(decodeStatus(refused.body, 'proto')).toEqual({
      code: RPC_CODE.UNAUTHENTICATED,
      message: 'Credentials are missing.',
    })
    expect((await receiver.post('x', {}, { path: '/nowhere' })).status).toBe(401)
    expect((await receiver.post(body, { ...PROTO, authorization: 'yes' })).status).toBe(200)
    const client = grpcClient(receiver.grpc)
    onTestFinished(() => client.close())
    expect(await client.call(body, { headers: { authorization: 'no' } })).toMatchObject({
      code: RPC_CODE.UNAUTHENTICATED,
      message: 'Wrong credentials.',
    })
    expect(await client.call(body, { headers: { authorization: 'yes' } })).toMatchObject({ code: 0 })
    expect(receiver.intake.records()).toHaveLength(2)
  })

  it('does not start with an extension that is no authenticator', async () => {
    const http = { auth: { authenticator: 'a' } }
    await expect(started({ http }, { extensions: { a: {} } })).rejects.toThrow(
      'The extension a cannot say who may send.',
    )
  })
})

describe('tls', () => {
  const tls = {
    cert_file: fixture('server.pem'),
    key_file: fixture('server.key'),
    reload_interval: '1m',
  }
  const client_ca_file = fixture('ca.pem')

  it('takes clients with a certificate of the authority, over both protocols', async () => {
    const receiver = await started({
      http: { tls: { ...tls, client_ca_file } },
      grpc: { tls: { ...tls, client_ca_file } },
    })
    const [ca, cert, key] = await Promise.all(
      ['ca.pem', 'client.pem', 'client.key'].map(name => readFile(fixture(name))),
    )
    const post = (ours: object): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const url = receiver.url.replace('http:', 'https:')
        const options = { method: 'POST', headers: PROTO, servername: 'tocsin.test', ca, ...ours }
        request(url, options, answer => {
          answer.resume()
          answer.on('end', () => resolve(answer.statusCode))
        })
          .on('error', reject)
          .end(body)
      })
    expect(await post({ cert, key })).toBe(200)
    await expect(post({})).rejects.toThrow()
    const client = grpcClient(receiver.grpc.replace('127.0.0.1', 'localhost'), {
      creds: credentials.createSsl(ca as Buffer, key as Buffer, cert as Buffer),
    })
    onTestFinished(() => client.close())
    expect(await client.call(body)).toMatchObject({ code: 0 })
    const nobody = grpcClient(receiver.grpc.replace('127.0.0.1', 'localhost'), {
      creds: credentials.createSsl(ca as Buffer),
    })
    onTestFinished(() => nobody.close())
    expect((await nobody.call(body)).code).toBe(RPC_CODE.UNAVAILABLE)
    expect(receiver.intake.records()).toHaveLength(2)
  })

  it('shows a renewed certificate to new connections, and keeps the old one when the new one does not work', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const files = { cert_file: join(folder, 'cert'), key_file: join(folder, 'key') }
    await copyFile(fixture('server.pem'), files.cert_file)
    await copyFile(fixture('server.key'), files.key_file)
    const clock = new VirtualClock()
    const receiver = await started(
      {
        http: { tls: { ...files, reload_interval: '1m' } },
        grpc: { tls: { ...files, reload_interval: '1m' } },
      },
      { context: { clock } },
    )
    const shown = (address: string, ALPNProtocols?: string[]): Promise<string> =>
      new Promise((resolve, reject) => {
        const port = Number(address.split(':').at(-1))
        const socket: TLSSocket = connect(
          { port, host: '127.0.0.1', rejectUnauthorized: false, ...(ALPNProtocols && { ALPNProtocols }) },
          () => {
            resolve(String(socket.getPeerCertificate().subject.CN))
            socket.destroy()
          },
        )
        socket.on('error', reject)
      })
    const both = async () => [await shown(new URL(receiver.url).host), await shown(receiver.grpc, ['h2'])]
    expect(await both()).toEqual(['server', 'server'])
    await copyFile(fixture('client.pem'), files.cert_file)
    await clock.advance(60_000)
    await expect.poll(() => receiver.context.logs.map(({ level }) => level)).toEqual(['warn', 'warn'])
    expect(await both()).toEqual(['server', 'server'])
    await copyFile(fixture('client.key'), files.key_file)
    await clock.advance(60_000)
    await expect.poll(both).toEqual(['client', 'client'])
  })

  it('says what is wrong with its files', async () => {
    const start = (changed: object) => started({ http: { tls: { ...tls, ...changed } } })
    await expect(start({ cert_file: '/nowhere' })).rejects.toThrow(/cert_file \/nowhere cannot be read/)
    await expect(start({ key_file: fixture('client.key') })).rejects.toThrow(/do not work/)
  })
})
