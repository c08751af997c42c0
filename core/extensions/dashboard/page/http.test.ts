import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { get, listen, setToken } from './http.js'

let server: Server
let url = ''
let streams: ServerResponse[] = []

beforeEach(async () => {
  vi.stubGlobal('sessionStorage', { getItem: () => null })
  streams = []
  server = createServer((_, response) => {
    streams.push(response)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: counted\ndata: null\n\n')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterEach(() => {
  vi.unstubAllGlobals()
  server.closeAllConnections()
  server.close()
})

test('events come whole, however they are cut', async () => {
  const heard: string[] = []
  const listening = listen(url, new AbortController().signal, (event, data) => heard.push(`${event} ${data}`))
  await expect.poll(() => heard).toEqual(['counted null'])
  for (const piece of [': \n', '\nevent: al', 'erts\ndata: [1]\n', '\n']) {
    streams[0]?.write(piece)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  streams[0]?.end()
  await listening
  expect(heard).toEqual(['counted null', 'alerts [1]'])
})

test('a connection that went dead without a word is given up', async () => {
  const heard: string[] = []
  const listening = listen(url, new AbortController().signal, event => heard.push(event), 200)
  await expect(listening).rejects.toThrow(/abort/i)
  expect(heard).toEqual(['counted'])
})

test('a token is sent without what came along when it was pasted', async () => {
  const kept = new Map<string, string>()
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
  })
  const sent: unknown[] = []
  server.removeAllListeners('request').on('request', ({ headers }, response: ServerResponse) => {
    sent.push(headers.authorization)
    response.end('{}')
  })
  setToken(' \u200bs3cret\u200b\n')
  await get(url)
  expect(sent).toEqual(['Bearer s3cret'])
})
