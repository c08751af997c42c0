import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createRecord, type Exporter, type Records, toText } from 'tocsin/component'
import { decodeOtlpJson, encodeOtlpJson } from 'tocsin/otlp'
import { awkwardRecords, exporterConformance, testContext, VirtualClock } from 'tocsin/testing'
import { afterAll, describe, expect, it } from 'vitest'
import type { FileConfig } from './config.js'
import { fileExporter } from './index.js'

const root = mkdtempSync(join(tmpdir(), 'tocsin-file-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let count = 0
const fresh = (): string => join(root, `${count++}`, 'deep', 'out.jsonl')

function lines(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}
const recordsIn = (path: string): Records =>
  lines(path).flatMap(line => decodeOtlpJson(line, { id: index => String(index) }))

function create(config: FileConfig, clock = new VirtualClock()): Exporter {
  return fileExporter.create(testContext({ config, clock, baseDir: root }))
}
const send = (exporter: Exporter, records: Records, signal = new AbortController().signal) =>
  exporter.send({ records, pipeline: 'logs', queuedAt: 0n, attempt: 1 }, signal)
const record = (body: string) => createRecord({ id: body, body })

describe('conformance', () => {
  const destination = () => {
    const path = fresh()
    return { config: { path }, received: () => recordsIn(path).map(({ body }) => toText(body)) }
  }
  for (const check of exporterConformance<FileConfig>({ factory: fileExporter, destination }))
    it(check.name, check.run)
})

describe('the file exporter', () => {
  it('writes one OTLP JSON request a line, whole, and appends', async () => {
    const path = fresh()
    for (let run = 0; run < 2; run++) {
      const exporter = create({ path })
      await exporter.start?.()
      expect(await send(exporter, awkwardRecords())).toBe('ok')
      await exporter.stop?.()
    }
    expect(lines(path)).toEqual(Array(2).fill(encodeOtlpJson(awkwardRecords())))
    expect(recordsIn(path)).toHaveLength(2 * awkwardRecords().length)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('does not join a line to half a line that a crash left', async () => {
    const path = fresh()
    const first = create({ path })
    await first.start?.()
    await send(first, [record('a')])
    await first.stop?.()
    appendFileSync(path, '{"resourceLogs":[{"sco')
    const second = create({ path })
    await second.start?.()
    await send(second, [record('b')])
    await second.stop?.()
    const found = lines(path)
    expect(found).toHaveLength(3)
    expect(decodeOtlpJson(found[2] as string, { id: String })).toMatchObject([{ body: 'b' }])
  })

  it('may try again when the disk is full', async () => {
    const exporter = create({ path: '/dev/full' })
    await exporter.start?.()
    await expect(send(exporter, [record('a')])).rejects.toMatchObject({
      retryable: true,
      cause: expect.objectContaining({ code: 'ENOSPC' }),
    })
    await exporter.stop?.()
  })

  it('goes on in a new file when another program renames, removes or empties it', async () => {
    const path = fresh()
    const clock = new VirtualClock()
    const exporter = create({ path, rotation: { max_megabytes: 0.001, max_backups: 2 } }, clock)
    await exporter.start?.()
    const bodies = (of: string) => recordsIn(of).map(found => String(found.body).trim())
    await send(exporter, [record('a'.padEnd(600))])
    renameSync(path, `${path}.1`)
    // It asks once a second, not for each request.
    await clock.advance(1_000)
    await send(exporter, [record('b'.padEnd(600))])
    expect([bodies(`${path}.1`), bodies(path)]).toEqual([['a'], ['b']])
    truncateSync(path)
    await clock.advance(1_000)
    // It has room again: no rotation.
    await send(exporter, [record('c'.padEnd(600))])
    expect(bodies(path)).toEqual(['c'])
    rmSync(dirname(path), { recursive: true })
    await clock.advance(1_000)
    await send(exporter, [record('d')])
    expect(bodies(path)).toEqual(['d'])
    expect(readdirSync(dirname(path))).toHaveLength(1)
    await exporter.stop?.()
  })

  it('starts a new file when one is full, and keeps as many as it is told', async () => {
    const path = fresh()
    const clock = new VirtualClock()
    const exporter = create({ path, rotation: { max_megabytes: 0.001, max_backups: 2 } }, clock)
    await exporter.start?.()
    // Not ours: the name has no time in it.
    appendFileSync(path.replace('out.jsonl', 'out-2nd.jsonl'), '')
    for (let index = 0; index < 12; index++) {
      await send(exporter, [record(`${index}`.padEnd(300))])
      await clock.advance(1)
    }
    await exporter.stop?.()
    const names = readdirSync(join(path, '..')).sort()
    expect(names).toHaveLength(4)
    expect(names.slice(2)).toEqual(['out-2nd.jsonl', 'out.jsonl'])
    const bodies = [...names.slice(0, 2), 'out.jsonl'].flatMap(name =>
      recordsIn(join(path, '..', name)).map(found => Number(found.body)),
    )
    expect(bodies).toEqual(Array.from({ length: bodies.length }, (_, index) => 12 - bodies.length + index))
    expect(statSync(path).size).toBeLessThanOrEqual(1_000)
  })

  it('fails to start where it cannot write, and refuses a folder', async () => {
    await expect(create({ path: '/dev/null/x' }).start?.()).rejects.toThrow()
    expect(fileExporter.check?.({ path: 'logs/' } as never)).toMatchObject([{ path: ['path'] }])
  })
})
