import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { KeyValueStore, Receiver } from 'tocsin/component'
import { type CollectingIntake, collectingIntake, testContext, VirtualClock } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { fileLogConfig } from '../../test/support/file-log.js'
import { runs } from '../../test/support/property.js'
import { fileLogReceiver } from './index.js'

type Operation =
  | { readonly do: 'write'; readonly bytes: number }
  | {
      readonly do:
        | 'poll'
        | 'settle'
        | 'rename'
        | 'copytruncate'
        | 'truncate'
        | 'recreate'
        | 'nuls'
        | 'compress'
        | 'half-compress'
        | 'stop'
        | 'crash'
        | 'start'
    }

const write = fc.integer({ min: 1, max: 90 }).map((bytes): Operation => ({ do: 'write', bytes }))
const others = (...names: Exclude<Operation['do'], 'write'>[]) =>
  names.map(name => fc.constant<Operation>({ do: name }))

const calm = fc.array(
  fc.oneof(
    write,
    write,
    write,
    ...others('poll', 'poll', 'settle', 'rename', 'copytruncate', 'truncate', 'recreate', 'nuls'),
    ...others('compress', 'half-compress', 'stop', 'start'),
  ),
  { minLength: 5, maxLength: 40 },
)
const rough = fc.array(
  fc.oneof(
    write,
    write,
    write,
    ...others('poll', 'poll', 'settle', 'rename', 'copytruncate', 'nuls', 'compress'),
    ...others('stop', 'crash', 'crash', 'start'),
  ),
  { minLength: 5, maxLength: 40 },
)
const patterns = fc.constantFrom('app.log', 'app.log*')
const shape = fc.record({
  multiline: fc.boolean(),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  mark: fc.boolean(),
})
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never

test('every line comes exactly once and in order through appends, rotations, truncations and restarts', async () => {
  await fc.assert(
    fc.asyncProperty(calm, patterns, shape, async (operations, pattern, one) => {
      const world = new World(pattern, one)
      try {
        await world.run(operations)
        expect(world.received.map(line => line.text)).toEqual(world.lines)
      } finally {
        await world.close()
      }
    }),
    runs(10),
  )
}, 1_800_000)

test('after a crash every line comes at least once, and again with the same id', async () => {
  await fc.assert(
    fc.asyncProperty(rough, patterns, shape, async (operations, pattern, one) => {
      const world = new World(pattern, one)
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
    runs(10),
  )
}, 1_800_000)

const MARK = Buffer.from([0xef, 0xbb, 0xbf])

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
  readonly #shape: Shape

  constructor(pattern: string, shape: Shape) {
    this.#pattern = pattern
    this.#multiline = shape.multiline
    this.#shape = shape
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
      case 'truncate':
        return this.#empty(() => truncateSync(this.#path()))
      case 'recreate':
        return this.#empty(() => {
          rmSync(this.#path())
          writeFileSync(this.#path(), '')
        })
      case 'nuls':
        return this.#nuls()
      case 'compress':
        return this.#compress(false)
      case 'half-compress':
        return this.#compress(true)
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
      const { lineEnd } = this.#shape
      const more = this.#multiline ? `${lineEnd}  more`.repeat(this.#count % 3) : ''
      const line = `line ${this.#count++} – ${'😀é'.repeat(this.#count % 5)}${more}`
      this.lines.push(line)
      this.#unwritten = Buffer.concat([this.#unwritten, Buffer.from(`${line}${lineEnd}`)])
    }
    const isEmpty = !statSync(this.#path(), { throwIfNoEntry: false })?.size
    if (this.#shape.mark && isEmpty) writeFileSync(this.#path(), MARK)
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
      for (const end of ['', '.gz']) {
        const from = this.#path(`.${index}${end}`)
        if (existsSync(from)) renameSync(from, this.#path(`.${index + 1}${end}`))
      }
    }
    if (how === 'rename') {
      renameSync(this.#path(), this.#path('.1'))
      writeFileSync(this.#path(), '')
    } else {
      copyFileSync(this.#path(), this.#path('.1'))
      truncateSync(this.#path())
    }
  }

  /** Empties the file when all of it was read: what was not is gone with it. */
  async #empty(how: () => void): Promise<void> {
    this.#finishLine()
    if (!this.#instance || !existsSync(this.#path())) return
    await this.#readAll(this.#multiline ? 1 : 0)
    await this.#lookedAt()
    how()
    await this.#lookedAt()
  }

  /** A hole, as a writer leaves it that keeps its offset. */
  #nuls(): void {
    this.#finishLine()
    if (existsSync(this.#path())) appendFileSync(this.#path(), Buffer.alloc(3 + 13 * (this.#count % 40)))
  }

  /** The oldest rotated file is compressed; `half`: it is looked at in the middle of that. */
  async #compress(half: boolean): Promise<void> {
    const path = this.#path(`.${this.#rotations}`)
    if (!this.#instance || !existsSync(path)) return
    this.#finishLine()
    await this.#readAll(this.#multiline ? 1 : 0)
    await this.#lookedAt()
    await this.#lookedAt()
    const packed = gzipSync(readFileSync(path))
    if (half) {
      writeFileSync(`${path}.gz`, packed.subarray(0, packed.length / 2))
      await this.#lookedAt()
    }
    writeFileSync(`${path}.gz`, packed)
    // As gzip and logrotate do, and not a time before it, as a Date would be, which has no microseconds.
    const seconds = Number(statSync(path, { bigint: true }).mtimeNs) / 1e9 + 1e-6
    utimesSync(`${path}.gz`, seconds, seconds)
    await this.#lookedAt()
    rmSync(path)
    await this.#lookedAt()
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
    const context = testContext({
      config: fileLogConfig({
        include: [this.#pattern],
        start_at: 'beginning',
        storage: 'disk',
        ...(this.#multiline && {
          multiline: { line_start_pattern: '^line' },
          // The writer rests in the middle of records.
          force_flush_period: '10s',
        }),
      }),
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

  /** Polls until every line came, but for some that may wait, and settles all. */
  async #readAll(waiting = 0): Promise<void> {
    const deadline = performance.now() + READ_ALL_MS
    for (let turn = 0; performance.now() < deadline; turn++) {
      await this.#poll(1)
      await this.#settle(Number.POSITIVE_INFINITY)
      const texts = new Set(this.received.map(line => line.text))
      if (texts.size >= this.lines.length - waiting && turn > 2) return
    }
  }

  #path(suffix = ''): string {
    return join(this.#dir, `app.log${suffix}`)
  }
}
