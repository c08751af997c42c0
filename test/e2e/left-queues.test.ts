import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpDestination } from 'tocsin/testing'
import { expect, it } from 'vitest'
import { cli } from '../support/cli.js'
import { startCollector } from '../support/collector.js'

const LEFT = /no longer in use .* --queue webhook\/old" removes/

it('a queue whose exporter is gone is named at each start, until it is dropped or the exporter is back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-'))
  const sink = await httpDestination()
  sink.answer = () => 503
  await writeFile(join(folder, 'in.log'), 'one\ntwo\n')
  const config = (exporter: string): string => `
extensions: { file_storage: { directory: data } }
receivers: { file_log: { include: [in.log], start_at: beginning, poll_interval: 20ms, storage: file_storage } }
exporters: { '${exporter}': { endpoint: '${sink.url}' } }
service:
  extensions: [file_storage]
  pipelines: { logs: { receivers: [file_log], exporters: ['${exporter}'] } }
`
  const started = async (exporter: string) => {
    const collector = await startCollector(config(exporter), { folder })
    return { ...collector, warned: collector.logs.some(({ message }) => LEFT.test(message)) }
  }
  const drop = () =>
    cli(['dead-letter', 'drop', '--queue', 'webhook/old', '--config', join(folder, 'tocsin.yaml')])

  const first = await started('webhook/old')
  expect(first.warned).toBe(false)
  await expect.poll(() => sink.requests.length).toBeGreaterThan(0)
  expect((await drop()).stderr).toMatch(/^The exporter webhook\/old uses its queue/)
  expect(await first.stop()).toMatchObject({ persisted: 2 })

  const second = await started('webhook/new')
  expect(second.warned).toBe(true)
  await second.stop()

  // Back again: it is sent.
  sink.answer = undefined
  const third = await started('webhook/old')
  expect(third.warned).toBe(false)
  await sink.waitFor(2)
  sink.answer = () => 503
  await writeFile(join(folder, 'in.log'), 'one\ntwo\nthree\nfour\nfive\n')
  const before = sink.requests.length
  await expect.poll(() => sink.requests.length).toBeGreaterThan(before)
  await third.stop()

  const fourth = await started('webhook/new')
  expect(fourth.warned).toBe(true)
  expect((await drop()).stdout).toBe('3 queued requests dropped.\n')
  await fourth.stop()
  const last = await started('webhook/new')
  expect(last.warned).toBe(false)
  await last.stop()
  await sink.close()
  await rm(folder, { recursive: true, force: true })
})
