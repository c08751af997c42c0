import { type ClientHttp2Session, connect } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { encodeOtlpProto } from 'tocsin/otlp'
import { VirtualClock } from 'tocsin/testing'
import { expect, it, onTestFinished } from 'vitest'
import { EXPORT } from '../../test/support/otlp-client.js'
import { started } from '../../test/support/otlp-receiver.js'
import { frameOf } from './grpc-frame.js'

it('lets clients ping after each answer, as those in Go and C do to measure the connection', async () => {
  const session = await connected()
  for (let n = 0; n < 10; n++) {
    await call(session)
    await ping(session)
  }
  expect(session.closed || session.destroyed).toBe(false)
})

it('sends clients away that ping for nothing', async () => {
  const session = await connected()
  await call(session)
  const debugData = new Promise(resolve =>
    session.once('goaway', (_code, _last, data) => resolve(String(data))),
  )
  const pings = Array.from({ length: 4 }, () => ping(session).catch(() => undefined))
  expect(await debugData).toBe('too_many_pings')
  await Promise.all(pings)
})

it('closes connections that never say anything', async () => {
  const clock = new VirtualClock()
  const receiver = await started({}, { context: { clock } })
  const port = Number(receiver.grpc.split(':').at(-1))
  const silent = connectTcp(port, '127.0.0.1')
  onTestFinished(() => void silent.destroy())
  const closed = new Promise(resolve => silent.once('close', resolve))
  silent.resume()
  const session = connect(`http://${receiver.grpc}`)
  onTestFinished(() => session.destroy())
  await call(session)
  await clock.advance(20_000)
  await closed
  await call(session)
})

it('asks nobody whether they are there with a time of 0', async () => {
  const clock = new VirtualClock()
  const keepalive = {
    server_parameters: { time: '0s', timeout: '0s' },
    enforcement_policy: { min_time: '5m', permit_without_stream: false },
  }
  const receiver = await started({ grpc: { keepalive } }, { context: { clock } })
  const session = connect(`http://${receiver.grpc}`)
  onTestFinished(() => session.destroy())
  let pings = 0
  session.on('ping', () => pings++)
  await call(session)
  await clock.advance(60_000)
  await call(session)
  expect(pings).toBe(0)
})

async function connected(): Promise<ClientHttp2Session> {
  const receiver = await started()
  const session = connect(`http://${receiver.grpc}`)
  onTestFinished(() => session.destroy())
  session.on('error', () => {})
  await new Promise(resolve => session.once('connect', resolve))
  return session
}

function call(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': EXPORT,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    stream.on('trailers', ({ 'grpc-status': status }) => {
      if (status === '0') resolve()
      else reject(new Error(`answered ${status}`))
    })
    stream.on('error', reject)
    stream.resume()
    stream.end(frameOf(encodeOtlpProto([])))
  })
}

function ping(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.once('close', resolve)
    session.ping(error => (error ? reject(error) : resolve()))
  })
}
