import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SinkRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface HttpSink {
  readonly url: string
  /** What came in, also what was answered with an error. */
  readonly requests: SinkRequest[]
  /** Requests that were answered with 200. */
  readonly accepted: SinkRequest[]
  /** The status of the next answers; undefined answers 200. 0 cuts the connection. */
  answer: ((request: SinkRequest, index: number) => number | undefined) | undefined
  /** Resolves when so many were accepted; rejects after 20 s. */
  waitFor(count: number, path?: string): Promise<SinkRequest[]>
  close(): Promise<void>
}

/** A destination for notifications that keeps what it is sent. */
export async function httpSink(): Promise<HttpSink> {
  const requests: SinkRequest[] = []
  const accepted: SinkRequest[] = []
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const request = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString(),
    }
    requests.push(request)
    const status = sink.answer?.(request, requests.length - 1) ?? 200
    if (status === 0) return void response.destroy()
    if (status === 200) accepted.push(request)
    response.writeHead(status).end(status === 200 ? 'ok' : `status ${status}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sink: HttpSink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    accepted,
    answer: undefined,
    async waitFor(count, path) {
      const matching = (): SinkRequest[] =>
        accepted.filter(request => path === undefined || request.path === path)
      for (let waitedMs = 0; matching().length < count; waitedMs += 10) {
        if (waitedMs > 20_000)
          throw new Error(`Waited for ${count} requests; ${matching().length} came in 20 s.`)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
      return matching()
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return sink
}
