import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { formatRfc3339, type Intake, msToNs, parseRfc3339, type Records } from 'tocsin/component'
import { testContext, VirtualClock } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { until } from '../../test/support/victorialogs-harness.js'
import { drained } from '../../test/support/victorialogs-server.js'
import type { VictoriaLogsConfig } from './config.js'
import { earlier } from './position.js'
import { VictoriaLogsReceiver } from './victorialogs.js'

const SECOND = 1_000_000_000n
/** How long the tail brings lines: more than `look_back`. Behind it come two readings, the second one with a past to look back on. */
const SECONDS = 150
const INTERVAL_MS = 155_000
/** Up to where the first of them reads, from the start on. */
const CHECKED_MS = INTERVAL_MS - 10_000
const WAIT_MS = 600_000

/** A VictoriaLogs with so many lines of each second that it makes them when they are asked for. */
class Firehose {
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  /** Arrived after their time: only queries have them. */
  readonly late: { readonly time: bigint; readonly name: string }[] = []
  #tail: ServerResponse | undefined

  constructor(
    private readonly perSecond: number,
    private readonly begin: bigint,
    private readonly now: () => bigint,
  ) {}

  get isTailed(): boolean {
    return this.#tail !== undefined
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** What came in the second that ends now. */
  async send(): Promise<void> {
    await this.#write(this.#tail as ServerResponse, this.now() - SECOND, this.now())
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('date', new Date(Number(this.now() / 1_000_000n)).toUTCString())
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://server')
    let form = ''
    for await (const chunk of request) form += chunk
    const asked = new URLSearchParams(form || searchParams)
    response.flushHeaders()
    if (pathname.endsWith('/tail')) {
      this.#tail = response
      return
    }
    const start = parseRfc3339(asked.get('start') ?? '') ?? 0n
    const end = parseRfc3339(asked.get('end') ?? '') ?? this.now()
    for (const { time, name } of this.late)
      if (time >= start && time < end) response.write(lineOf(time, name))
    await this.#write(response, start, earlier(end, this.now()))
    response.end()
  }

  async #write(response: ServerResponse, from: bigint, upTo: bigint): Promise<void> {
    const to = earlier(upTo, this.begin + BigInt(SECONDS) * SECOND)
    const step = SECOND / BigInt(this.perSecond)
    let number = from <= this.begin ? 0n : (from - this.begin + step - 1n) / step
    for (; !response.destroyed; await turn()) {
      let text = ''
      for (let count = 0; count < 2_000; count++, number++) {
        const time = this.begin + number * step
        if (time >= to) {
          response.write(text)
          return
        }
        text += lineOf(time, 'line')
      }
      if (!response.write(text)) await drained(response)
    }
  }
}

function lineOf(time: bigint, name: string): string {
  return `{"_time":"${formatRfc3339(time)}","_stream_id":"0","_stream":"{}","_msg":"${name}"}\n`
}

describe.each([
  { perSecond: 20_000, kept: true },
  { perSecond: 50_000, kept: false },
])('at $perSecond lines a second', ({ perSecond, kept }) => {
  it(
    kept
      ? 'finds lines of 100 s before what it has read, within its memory'
      : 'says that look_back is not kept',
    async () => {
      const clock = new VirtualClock()
      const begin = clock.now()
      const server = new Firehose(perSecond, begin, () => clock.now())
      const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
      const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
      const provider = new MeterProvider({ readers: [reader] })
      const config = {
        endpoint: await server.start(),
        query: '*',
        reconcile: { interval: `${INTERVAL_MS}ms`, look_back: '2m' },
      } as VictoriaLogsConfig
      const context = testContext({ clock, config, meter: provider.getMeter('test') })
      const receiver = new VictoriaLogsReceiver(context)
      let records = 0
      const late: string[] = []
      const offer = async (batches: readonly Records[]) => {
        for (const batch of batches) {
          records += batch.length
          for (const { body } of batch) if (body !== 'line') late.push(String(body))
        }
        return { deadLettered: 0, release: () => undefined }
      }
      const intake: Intake = {
        offer: batch => offer([batch]),
        offerAll: offer,
        ready: async () => undefined,
        discarded: () => undefined,
        end: () => undefined,
      }
      await receiver.start(intake)
      try {
        await until(() => server.isTailed, 'a tail', WAIT_MS)
        for (let second = 1; second <= SECONDS; second++) {
          await clock.advance(1_000)
          await server.send()
          await until(() => records >= second * perSecond, `the lines of second ${second}`, WAIT_MS)
        }
        const tailed = records
        const value = async (name: string): Promise<number> => {
          exporter.reset()
          await reader.forceFlush()
          return exporter
            .getMetrics()
            .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
            .filter(({ descriptor }) => descriptor.name === name)
            .flatMap(({ dataPoints }) => dataPoints.map(point => point.value as number))
            .at(-1) as number
        }
        await clock.advance(INTERVAL_MS - SECONDS * 1_000)
        const deadline = Date.now() + WAIT_MS
        while ((await value('tocsin_victorialogs_remembered_lines')) === 0) {
          if (Date.now() > deadline) throw new Error('The first reading does not end.')
          await sleep(50)
        }
        expect(records, 'after a reading that knows every line').toBe(tailed)
        const names = Array.from({ length: 100 }, (_, index) => `late ${index}`)
        const lateMs = kept ? 100_000 : 20_000
        for (const [index, name] of names.entries())
          server.late.push({ time: begin + msToNs(CHECKED_MS - lateMs) + BigInt(index) * 7n + 1n, name })
        await clock.advance(INTERVAL_MS)
        await until(() => late.length >= names.length, 'the late lines', WAIT_MS)
        await until(() => records >= tailed + names.length, 'the end of the reading', WAIT_MS)
        expect(late).toEqual(names)
        const said = context.logs.filter(({ message }) => message.includes('look_back is not kept'))
        expect(said).toHaveLength(kept ? 0 : 1)
        const reach = await value('tocsin_victorialogs_look_back_seconds')
        if (kept) expect(reach).toBe(120)
        else expect(reach).toBeLessThan(110)
        // Each of the lines was new once, those that were read again came from nowhere.
        expect(records - tailed).toBe(names.length)
      } finally {
        await receiver.stop()
        await receiver.close()
        server.stop()
        await provider.shutdown()
      }
    },
  )
})
