import { PassThrough, Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import {
  type Attributes,
  createRecord,
  type Exporter,
  fromJson,
  parseRfc3339,
  type Records,
} from 'tocsin/component'
import { factoryConformance, sampleRecord, testContext } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import type { DebugConfig } from './config.js'
import { createDebug } from './debug.js'
import { debugExporter } from './index.js'

const attributes = (json: object): Attributes => fromJson(json) as Attributes

async function print(records: Records, config: Partial<DebugConfig> = {}, isTTY = false): Promise<string> {
  const out = Object.assign(new PassThrough(), { isTTY })
  const settings: DebugConfig = { verbosity: 'normal', time_zone: 'UTC', ...config }
  const exporter = createDebug(testContext({ config: settings }), out)
  await send(exporter, records)
  return out.read()?.toString() ?? ''
}

async function send(exporter: Exporter, records: Records) {
  await exporter.start?.()
  const request = { records, pipeline: 'logs', queuedAt: 0n, attempt: 1 }
  try {
    return await exporter.send(request, new AbortController().signal)
  } finally {
    await exporter.stop?.()
  }
}

const alert = createRecord({
  id: 'r1',
  timestamp: parseRfc3339('2026-01-15T09:59:30Z') as bigint,
  body: 'FATAL: no connection\nsecond line',
  attributes: attributes({
    alert: { status: 'alert', severity: 'critical', normalized_message: 'Database Down', event_id: 'e1' },
    n: 5,
  }),
  resource: { attributes: { 'host.name': 'host-1' }, droppedAttributesCount: 0, schemaUrl: '' },
})

describe('conformance', () => {
  for (const check of factoryConformance(debugExporter)) it(check.name, check.run)
})

describe('debug', () => {
  it('prints many records in turns with everything else, each whole', async () => {
    let turns = 0
    let over = false
    const tick = (): void => {
      turns++
      if (!over) setImmediate(tick)
    }
    setImmediate(tick)
    const texts: string[] = []
    const out = new Writable({
      decodeStrings: false,
      write: (text: string, _, done) => {
        texts.push(text)
        done()
      },
    })
    const exporter = createDebug(testContext({ config: { verbosity: 'normal', time_zone: 'UTC' } }), out)
    await send(exporter, Array<typeof alert>(20_000).fill(alert))
    over = true
    expect(turns).toBeGreaterThan(3)
    expect(texts.length).toBeGreaterThan(10)
    expect(texts.every(text => text.startsWith('15/01/2026') && text.endsWith('event=e1\n'))).toBe(true)
    expect(texts.join('').split('\n')).toHaveLength(20_000 * 4 + 1)
  })

  it('prints an alert readably', async () => {
    expect(await print([alert])).toBe(
      [
        '15/01/2026 09:59:30 UTC  [CRITICAL] Database Down (host-1)',
        '    FATAL: no connection',
        '    second line',
        '    host.name=host-1 pipeline=logs event=e1',
        '',
      ].join('\n'),
    )
  })

  it('colours only on a terminal', async () => {
    const sequence = '\u001b['
    expect(await print([alert])).not.toContain(sequence)
    const colored = await print([alert], {}, true)
    expect(colored.includes(sequence)).toBe(!process.env.NO_COLOR)
    expect(stripVTControlCharacters(colored)).toBe(await print([alert]))
  })

  it('counts, or shows every field', async () => {
    expect(await print([alert, alert], { verbosity: 'basic' })).toBe('2 log records of logs\n')
    const text = await print([alert], { verbosity: 'detailed' })
    expect(text).toContain('attributes["n"]: 5')
    expect(text).toContain('resource["host.name"]: host-1')
    expect(text).toContain('id: r1')
  })

  it('does not let a log steer the terminal', async () => {
    const text = await print([createRecord({ id: 'a', body: 'a\u001b[2Jb\u202ec\u0007 d\rx\ty\r\nz' })])
    expect(text).toContain('a\\u001b[2Jb\\u202ec\\u0007 d\\u000dx\ty\n    z')
  })

  it('cuts a long body short', async () => {
    const text = await print([createRecord({ id: 'a', body: Array(100).fill('line').join('\n') })])
    expect(text.split('\n').length).toBeLessThan(20)
  })

  it('waits for a slow output, and says when it is closed', async () => {
    const writes: (() => void)[] = []
    const slow = new Writable({ write: (_, __, callback) => void writes.push(callback) })
    const config: DebugConfig = { verbosity: 'basic', time_zone: 'UTC' }
    let done = false
    const sent = send(createDebug(testContext({ config }), slow), [sampleRecord()]).then(() => {
      done = true
    })
    await expect.poll(() => writes.length).toBe(1)
    await new Promise(setImmediate)
    expect(done).toBe(false)
    writes[0]?.()
    await sent
    const closed = new Writable({ write: (_, __, callback) => callback(new Error('EPIPE')) })
    await expect(send(createDebug(testContext({ config }), closed), [sampleRecord()])).rejects.toMatchObject({
      retryable: false,
      message: expect.stringContaining('EPIPE'),
    })
  })
})
