import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { KeyValueStore, Receiver } from 'tocsin/component'
import { type CollectingIntake, collectingIntake, testContext, VirtualClock } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import { type FileLogConfig, schema } from './config.js'
import { fileLogReceiver } from './index.js'

type Operation =
  | { readonly do: 'write'; readonly bytes: number }
  | { readonly do: 'poll' | 'settle' | 'rename' | 'copytruncate' | 'stop' | 'crash' | 'start' }

const write = fc.integer({ min: 1, max: 90 }).map((bytes): Operation => ({ do: 'write', bytes }))
const others = (...names: Exclude<Operation['do'], 'write'>[]) =>
  names.map(name => fc.constant<Operation>({ do: name }))

const calm = fc.array(
  fc.oneof(
    write,
    write,
    write,
    ...others('poll', 'poll', 'settle', 'rename', 'copytruncate', 'stop', 'start'),
  ),
  { minLength: 5, maxLength: 40 },
)
const rough = fc.array(
  fc.oneof(
    write,
    write,
    write,
    ...others('poll', 'poll', 'settle', 'rename', 'stop', 'crash', 'crash', 'start'),
  ),
  { minLength: 5, maxLength: 40 },
)
const patterns = fc.constantFrom('app.log', 'app.log*')
const multiline = fc.boolean()

test('every line comes exactly once and in order through appends, rotations, truncations and restarts', async () => {
  await fc.assert(
    fc.asyncProperty(calm, patterns, multiline, async (operations, pattern, joined) => {
      const world = new World(pattern, joined)
      try {
        await world.run(operations)
        expect(world.received.map(line => line.text)).toEqual(world.lines)
      } finally {
        await world.close()
      }
    }),
    runs(20),
  )
}, 120_000)

test('after a crash every line comes at least once, and again with the same id', async () => {
  await fc.assert(
    fc.asyncProperty(rough, patterns, multiline, async (operations, pattern, joined) => {
      const world = new World(pattern, joined)
      try {
        await world.run(operations)
        const ids = new Map<string, string>()
        for (const { text, id } of world.received) {
          expect(ids.get(text) ?? id).toBe(id)
          ids.set(text, id)
        }
        expect([...ids.keys()].sort()).toEqual([...world.lines].sort())
        expect(new Set(ids.values()).size).toBe(ids.size)
      } finally {
        await world.close()
      }
    }),
    runs(20),
  )
}, 120_000)

/** A busy machine may take long to read a file; only what never comes takes this long. */
const READ_ALL_MS = 10_000

interface Instance {
  readonly receiver: Receiver
  readonly intake: CollectingIntake
  readonly clock: VirtualClock
  dead: boolean
}

/** A log file with its writer and rotation, and a receiver that comes and goes. */
class World {
  readonly received: { readonly text: string; readonly id: string }[] = []
  /** Complete lines that were written. */
  readonly lines: string[] = []
  readonly #dir = mkdtempSync(join(tmpdir(), 'file-log-'))
  readonly #pattern: string
  readonly #store: KeyValueStore = testContext({ config: {} }).storage()
  readonly #all: Instance[] = []
  #instance: Instance | undefined
  #unwritten = Buffer.alloc(0)
  #count = 0
  /** The receiver has seen a line of the file: what no pattern finds after that is found by its name. */
  #known = false
  #rotations = 0
  readonly #multiline: boolean

  constructor(pattern: string, multiline: boolean) {
    this.#pattern = pattern
    this.#multiline = multiline
  }

  async run(operations: readonly Operation[]): Promise<void> {
    await this.#start()
    for (const operation of operations) await this.#do(operation)
    this.#finishLine()
    if (!this.#instance) await this.#start()
    await this.#readAll()
    // What a restart would bring again: nothing.
    await this.#stop()
    await this.#start()
    await this.#poll(3)
    await this.#stop()
  }

  async close(): Promise<void> {
    for (const { receiver, intake } of this.#all) {
      for (const batch of intake.batches) batch.settle()
      await receiver.stop()
      await receiver.close?.()
    }
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async #do(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'write':
        return this.#write(operation.bytes)
      case 'poll':
        return this.#poll(1)
      case 'settle':
        return this.#settle(2)
      case 'rename':
        return this.#rotate('rename')
      case 'copytruncate':
        return this.#rotate('copy')
      case 'stop':
        return this.#stop()
      case 'crash':
        return this.#crash()
      case 'start':
        if (!this.#instance) await this.#start()
    }
  }

  /** Appends so many bytes of endless lines: it may end inside a line, and inside a character. */
  #write(bytes: number): void {
    while (this.#unwritten.length < bytes) {
      const more = this.#multiline ? '\n  more'.repeat(this.#count % 3) : ''
      const line = `line ${this.#count++} – ${'😀é'.repeat(this.#count % 5)}${more}`
      this.lines.push(line)
      this.#unwritten = Buffer.concat([this.#unwritten, Buffer.from(`${line}\n`)])
    }
    appendFileSync(this.#path(), this.#unwritten.subarray(0, bytes))
    this.#unwritten = this.#unwritten.subarray(bytes)
  }

  #finishLine(): void {
    if (this.#unwritten.length === 0) return
    appendFileSync(this.#path(), this.#unwritten)
    this.#unwritten = Buffer.alloc(0)
  }

  /** Moves the files up by one. What no pattern finds then must have been seen once. */
  async #rotate(how: 'rename' | 'copy'): Promise<void> {
    this.#finishLine()
    if (this.#pattern === 'app.log' && !this.#known) {
      for (let turn = 0; turn < 80 && this.#instance && this.received.length === 0; turn++)
        await this.#poll(1)
      this.#known = this.received.length > 0
      if (!this.#known) return
    }
    await this.#lookedAt()
    this.#write(30)
    this.#finishLine()
    for (let index = this.#rotations++; index > 0; index--) {
      const from = this.#path(`.${index}`)
      if (existsSync(from)) renameSync(from, this.#path(`.${index + 1}`))
    }
    if (how === 'rename') {
      renameSync(this.#path(), this.#path('.1'))
      writeFileSync(this.#path(), '')
    } else {
      copyFileSync(this.#path(), this.#path('.1'))
      truncateSync(this.#path())
    }
  }

  async #start(): Promise<void> {
    const instance: Instance = {
      clock: new VirtualClock(),
      intake: collectingIntake({ manual: true }),
      dead: false,
      receiver: undefined as never,
    }
    const { offer } = instance.intake
    instance.intake.offer = records => {
      if (!instance.dead) {
        for (const record of records) this.received.push({ text: String(record.body), id: record.id })
      }
      return offer(records)
    }
    const context = testContext<FileLogConfig>({
      config: {
        ...defaults(),
        include: [this.#pattern],
        start_at: 'beginning',
        storage: 'disk',
        ...(this.#multiline && {
          multiline: { line_start_pattern: '^line' },
          // The writer rests in the middle of records.
          force_flush_period: '10s',
        }),
      } as object as FileLogConfig,
      clock: instance.clock,
      baseDir: this.#dir,
      stores: {
        disk: {
          ...this.#store,
          // What a dead process had not written stays unwritten.
          write: changes => (instance.dead ? Promise.reject(new Error('dead')) : this.#store.write(changes)),
        },
      },
    })
    const running = {
      ...instance,
      receiver: fileLogReceiver.create(context),
    }
    Object.defineProperty(running, 'dead', {
      get: () => instance.dead,
      set: dead => Object.assign(instance, { dead }),
    })
    this.#instance = running
    this.#all.push(running)
    await running.receiver.start(instance.intake)
  }

  async #stop(): Promise<void> {
    const instance = this.#instance
    if (!instance) return
    this.#instance = undefined
    await instance.receiver.stop()
    for (const batch of instance.intake.batches) batch.settle()
    await instance.clock.advance(0)
    await instance.receiver.close?.()
  }

  async #crash(): Promise<void> {
    if (!this.#instance) return
    this.#instance.dead = true
    this.#instance = undefined
  }

  async #poll(count: number): Promise<void> {
    for (let turn = 0; turn < count && this.#instance; turn++) {
      await this.#instance.clock.advance(200)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }

  /** What nobody has seen before it is rotated has no order. */
  async #lookedAt(): Promise<void> {
    const before = this.#instance?.clock.now() ?? 0n
    for (let turn = 0; turn < 200 && this.#instance; turn++) {
      if ((this.#instance.receiver.watermark?.() ?? 0n) > before) return
      await this.#poll(1)
    }
  }

  async #settle(count: number): Promise<void> {
    const open = this.#instance?.intake.batches.filter(batch => !batch.released) ?? []
    for (const batch of open.slice(0, count)) batch.settle()
    await this.#instance?.clock.advance(0)
  }

  /** Polls until every line came, and settles all. */
  async #readAll(): Promise<void> {
    const deadline = performance.now() + READ_ALL_MS
    for (let turn = 0; performance.now() < deadline; turn++) {
      await this.#poll(1)
      await this.#settle(Number.POSITIVE_INFINITY)
      const texts = new Set(this.received.map(line => line.text))
      if (texts.size >= this.lines.length && turn > 2) return
    }
  }

  #path(suffix = ''): string {
    return join(this.#dir, `app.log${suffix}`)
  }
}

function defaults(): object {
  const entries = Object.entries(schema.properties ?? {}).filter(
    ([, { default: value }]) => value !== undefined,
  )
  return Object.fromEntries(entries.map(([key, value]) => [key, value.default]))
}
