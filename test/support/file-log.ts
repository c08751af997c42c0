import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyValueStore, Receiver } from 'tocsin/component'
import { type CollectingIntake, collectingIntake, testContext, VirtualClock } from 'tocsin/testing'
import { afterEach, beforeEach, expect } from 'vitest'
import { withDefaults } from '../../core/config/defaults.js'
import { type FileLogConfig, schema } from '../../receivers/file_log/config.js'
import { fileLogReceiver } from '../../receivers/file_log/index.js'

/** A configuration with the defaults of the receiver. */
export function fileLogConfig(config: Partial<FileLogConfig>): FileLogConfig {
  return withDefaults({ include: ['*.log'], ...config }, schema) as FileLogConfig
}

/**
 * For each test a folder, a clock, a store, and file_log receivers over them, which end with the test. `base`: what their
 * configurations say where a test says nothing.
 */
export function fileLogWorld(base: Partial<FileLogConfig> = { start_at: 'beginning', storage: 'disk' }) {
  let dir: string
  let clock: VirtualClock
  let store: KeyValueStore
  let running: Receiver[] = []

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'file-log-'))
    clock = new VirtualClock()
    store = testContext({ config: {} }).storage()
  })

  afterEach(async () => {
    for (const receiver of running.splice(0)) await stopped(receiver)
    rmSync(dir, { recursive: true, force: true })
  })

  function at(name: string): string {
    return join(dir, name)
  }

  function write(name: string, text: string): void {
    writeFileSync(at(name), text)
  }

  function append(name: string, text: string): void {
    appendFileSync(at(name), text)
  }

  async function started(config: Partial<FileLogConfig>, intake: CollectingIntake = collectingIntake()) {
    const context = testContext({
      config: fileLogConfig({ ...base, ...config }),
      clock,
      baseDir: dir,
      stores: { disk: store },
    })
    const receiver = fileLogReceiver.create(context)
    running.push(receiver)
    await receiver.start(intake)
    return { receiver, intake, context }
  }

  async function stopped(receiver: Receiver): Promise<void> {
    forgotten(receiver)
    const stopping = receiver.stop()
    await clock.advance(0)
    await stopping
    await receiver.close?.()
  }

  async function polls(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn++) {
      await clock.advance(200)
      await later(20)
      // While files are looked at nobody waits for the clock: on a busy machine that takes longer.
      for (let waits = 0; clock.pending === 0 && waits < 200; waits++) await later(2)
    }
  }

  /** Lets one poll go by, and waits until all that was there before it is read. */
  async function looked(receiver: Receiver): Promise<void> {
    const before = clock.now()
    const isRead = async () => {
      await clock.advance(20)
      return (receiver.watermark?.() ?? 0n) > before
    }
    await expect.poll(isRead, { interval: 2 }).toBe(true)
  }

  async function advanced<T>(value: T): Promise<T> {
    await clock.advance(200)
    await later(3)
    return value
  }

  async function seen(intake: CollectingIntake, expected: readonly string[]): Promise<void> {
    await expect.poll(() => advanced(bodies(intake)), { interval: 5 }).toEqual(expected)
  }

  async function ended(intake: CollectingIntake): Promise<void> {
    await expect.poll(() => advanced(intake.ended), { interval: 5 }).toBe(true)
  }

  /** As `seen`, of the first records. */
  async function first(intake: CollectingIntake, expected: readonly string[]): Promise<void> {
    await expect
      .poll(() => advanced(bodies(intake).slice(0, expected.length)), { interval: 5 })
      .toEqual(expected)
  }

  /** As after a kill: it is not stopped at the end of the test. */
  function forgotten(receiver: Receiver): void {
    running = running.filter(other => other !== receiver)
  }

  function now(): bigint {
    return clock.now()
  }

  /** What is at the key `disk` of the stores; another one for the receivers that start from now on. */
  function stored(other: KeyValueStore = store): KeyValueStore {
    store = other
    return store
  }

  function passed(ms: number): Promise<void> {
    return clock.advance(ms)
  }

  return {
    at,
    write,
    append,
    started,
    stopped,
    forgotten,
    now,
    stored,
    passed,
    polls,
    looked,
    advanced,
    seen,
    ended,
    first,
  }
}

export function bodies(intake: CollectingIntake): string[] {
  return intake.records().map(record => String(record.body))
}

export function warnings({
  logs,
}: {
  readonly logs: readonly { readonly level: string; readonly message: string }[]
}) {
  return logs
    .filter(entry => entry.level === 'warn' && !entry.message.startsWith('No file'))
    .map(entry => entry.message)
}

/** Records of several lines, which begin with a year, and one of them. */
export const MULTILINE = { multiline: { line_start_pattern: '^\\d{4}-' } }
export const ERROR = '2026-11-20 ERROR db down\n\tat x\n'

/** `word 0` and so on, each with its end. */
export function lines(word: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `${word} ${index}\n`).join('')
}

/** `line 7` and so on, each with its end. */
export function numbered(from: number, to: number): string {
  let text = ''
  for (let index = from; index < to; index++) text += `line ${index}\n`
  return text
}

/** What is written after this has another time in every file system. */
export function later(ms = 12): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
