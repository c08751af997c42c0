import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChaosSource } from './chaos-source.js'
import { Supervisor } from './supervisor.js'

/** A stream in Redis that several collectors share; one more, which is killed too, writes a file's lines to it. */
export async function streamSource(folder: string, redis: string): Promise<ChaosSource> {
  const path = join(folder, 'produced.log')
  await writeFile(path, '')
  const storage = join(folder, 'producer')
  const producer = new Supervisor(
    `
receivers:
  file_log: { include: ['${path}'], start_at: beginning, poll_interval: 20ms, storage: file_storage }
processors:
  parser: { regex: 'incident=(?P<incident>\\w+)' }
exporters:
  redis_streams:
    redis: redis_storage
    partitions: 8
    key: '{{incident}}'
    sending_queue: { storage: file_storage }
    retry_on_failure: { initial_interval: 20ms, max_interval: 200ms, max_elapsed_time: 0s }
extensions:
  file_storage: { directory: '${storage}' }
  redis_storage: { endpoint: '${redis}' }
service:
  extensions: [file_storage, redis_storage]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [file_log], processors: [parser], exporters: [redis_streams] }
`,
    () => {},
  )
  await mkdir(storage)
  await producer.start()
  return {
    collectors: 3,
    receiver: `
  redis_streams: { redis: redis_storage, partitions: 8 }`,
    ready: async () => {},
    write: lines => appendFile(path, lines.map(line => `${line}\n`).join('')),
    faults: [{ name: 'producer killed', act: () => producer.kill() }],
    runs: () => producer.runs,
    storages: [storage],
    accidents: producer.accidents,
    close: () => producer.abandon(),
  }
}
