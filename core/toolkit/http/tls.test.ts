import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { Agent } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkTls, type TlsClientConfig, tlsConnectOptions } from './tls.js'

const fixtures = fileURLToPath(new URL('./fixtures', import.meta.url))
const pem = (name: string): string => readFileSync(`${fixtures}/${name}`, 'utf8')

let server: Server
beforeAll(async () => {
  server = createServer(
    { cert: pem('server.pem'), key: pem('server.key'), ca: pem('ca.pem'), requestCert: true },
    (request, response) => {
      const socket = request.socket as TLSSocket
      const peer = socket.authorized ? socket.getPeerCertificate().subject.CN : 'nobody'
      response.end(`${peer} ${socket.getProtocol()}`)
    },
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

async function ask(config: TlsClientConfig): Promise<string> {
  const agent = new Agent({ connect: await tlsConnectOptions(config, fixtures) })
  try {
    const { port } = server.address() as AddressInfo
    const { body } = await agent.request({ origin: `https://127.0.0.1:${port}`, path: '/', method: 'GET' })
    return await body.text()
  } finally {
    await agent.destroy()
  }
}

describe('tlsConnectOptions', () => {
  const trusted = { ca_file: 'ca.pem', server_name_override: 'tocsin.test' }

  it('trusts the authority of ca_file and verifies server_name_override', async () => {
    await expect(ask({ ...trusted, cert_file: 'client.pem', key_file: 'client.key' })).resolves.toMatch(
      /^client TLSv1.3$/,
    )
  })

  it('takes PEM inline', async () => {
    const inline = { ca_pem: pem('ca.pem'), cert_pem: pem('client.pem'), key_pem: pem('client.key') }
    await expect(ask({ server_name_override: 'localhost', ...inline })).resolves.toMatch(/^client/)
  })

  it('refuses a server of an unknown authority, or of another name', async () => {
    const mine = { cert_file: 'client.pem', key_file: 'client.key' }
    await expect(ask({ ...mine, server_name_override: 'tocsin.test' })).rejects.toThrow(/certificate/)
    await expect(ask({ ...trusted, ...mine, server_name_override: 'other.test' })).rejects.toThrow(
      /altnames|Hostname/,
    )
    await expect(ask({ ...mine, insecure_skip_verify: true })).resolves.toMatch(/^client/)
  })

  it('keeps to the versions', async () => {
    const mine = { ...trusted, cert_file: 'client.pem', key_file: 'client.key' }
    await expect(ask({ ...mine, max_version: '1.2' })).resolves.toBe('client TLSv1.2')
  })

  it('names the file that it cannot read', async () => {
    await expect(tlsConnectOptions({ ca_file: 'none.pem' }, fixtures)).rejects.toThrow(
      /ca_file none\.pem: ENOENT/,
    )
  })
})

describe('checkTls', () => {
  it('finds halves and doubles', () => {
    expect(checkTls(undefined, ['tls'])).toEqual([])
    expect(checkTls({ cert_file: 'a', key_pem: 'b' }, ['tls'])).toEqual([])
    expect(checkTls({ cert_file: 'a' }, ['tls'])).toMatchObject([{ path: ['tls', 'cert_file'] }])
    expect(checkTls({ ca_file: 'a', ca_pem: 'b' }, ['tls'])).toMatchObject([{ path: ['tls', 'ca_pem'] }])
    expect(checkTls({ min_version: '1.3', max_version: '1.2' }, [])).toMatchObject([
      { path: ['max_version'] },
    ])
  })
})
