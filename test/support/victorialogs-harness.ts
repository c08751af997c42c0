import { type Clock, type KeyValueStore, msToNs, type Random } from 'tocsin/component'
import {
  type CollectingIntake,
  collectingIntake,
  type TestContext,
  testContext,
  VirtualClock,
} from 'tocsin/testing'
import { onTestFinished } from 'vitest'
import type { VictoriaLogsConfig } from '../../receivers/victorialogs/config.js'
import { VictoriaLogsReceiver } from '../../receivers/victorialogs/victorialogs.js'
import { scaledClock } from './scaled-clock.js'
import { VictoriaLogsServer, type VictoriaLogsServerOptions } from './victorialogs-server.js'

export interface HarnessOptions {
  readonly clock?: Clock
  readonly server?: Omit<VictoriaLogsServerOptions, 'now'>
  /** How far the server's clock is ahead; negative: behind. */
  readonly serverAheadMs?: number
  /** Settle nothing until the test does. */
  readonly manual?: boolean
}

export interface Run {
  readonly receiver: VictoriaLogsReceiver
  readonly intake: CollectingIntake
  readonly context: TestContext<VictoriaLogsConfig>
  bodies(): string[]
  /** As at a shutdown: with the last checkpoint. */
  stop(): Promise<void>
  /** As at a crash: what was not checkpointed is lost. */
  crash(): Promise<void>
}

/** A test server and receivers that follow it, one after another or together, on one clock. */
export class Harness {
  readonly clock: Clock
  readonly server: VictoriaLogsServer
  readonly #runs = new Set<Run>()
  readonly #inCommon = new Map<string, unknown>()

  private constructor(clock: Clock, server: VictoriaLogsServer) {
    this.clock = clock
    this.server = server
  }

  static async start({
    clock = scaledClock(100),
    server = {},
    serverAheadMs = 0,
  }: HarnessOptions = {}): Promise<Harness> {
    const now = (): bigint => clock.now() + msToNs(serverAheadMs)
    return new Harness(clock, await VictoriaLogsServer.start({ ...server, now }))
  }

  async run(
    config: Partial<VictoriaLogsConfig> = {},
    options: { readonly manual?: boolean; readonly store?: KeyValueStore; readonly random?: Random } = {},
  ): Promise<Run> {
    const { store } = options
    let crashed = false
    const guarded: KeyValueStore | undefined = store && {
      get: key => store.get(key),
      range: (from, to, limit) => store.range(from, to, limit),
      write: changes => (crashed ? new Promise(() => undefined) : store.write(changes)),
    }
    const context = testContext<VictoriaLogsConfig>({
      clock: this.clock,
      config: { endpoint: this.server.url, query: '*', ...config, ...(store && { storage: 'file_storage' }) },
      ...(guarded && { stores: { file_storage: guarded } }),
      ...(options.random && { random: options.random }),
      shared: <T>(key: string, make: () => T): T => {
        if (!this.#inCommon.has(key)) this.#inCommon.set(key, make())
        return this.#inCommon.get(key) as T
      },
    })
    const receiver = new VictoriaLogsReceiver(context)
    const intake = collectingIntake({ manual: options.manual ?? false })
    await receiver.start(intake)
    const run: Run = {
      receiver,
      intake,
      context,
      bodies: () => intake.records().map(record => String(record.body)),
      stop: async () => {
        this.#runs.delete(run)
        await receiver.stop()
        await receiver.close()
      },
      crash: async () => {
        this.#runs.delete(run)
        crashed = true
        await receiver.stop()
      },
    }
    this.#runs.add(run)
    return run
  }

  /** Inserts lines at the server's present time, each a nanosecond after the one before. */
  insert(...messages: readonly string[]): void {
    const now = this.server.now()
    messages.forEach((msg, index) => {
      this.server.insert({ msg, time: now + BigInt(index) })
    })
  }

  async close(): Promise<void> {
    for (const run of [...this.#runs]) await run.stop()
    await this.server.down()
  }
}

/** A harness that ends with the test. */
export async function harness(options: HarnessOptions = {}): Promise<Harness> {
  const h = await Harness.start(options)
  onTestFinished(() => h.close())
  return h
}

/** One on a clock that the test moves. */
export async function standing(server: HarnessOptions['server'] = {}) {
  const clock = new VirtualClock()
  return { clock, h: await harness({ clock, server }) }
}

export const tailing = (h: Harness): Promise<void> => until(() => h.server.openTails > 0, 'a tail is open')

/** A store that outlives receivers. */
export const memoryStore = (): KeyValueStore => testContext({ config: {} }).storage()

/** What is on its way arrives. */
export const tick = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 2))

/** Waits in real time until a condition holds. Throws with `what` after `timeoutMs`. */
export async function until(condition: () => boolean, what: string, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}.`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}
