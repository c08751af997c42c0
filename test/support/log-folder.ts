import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { type Running, startCommand } from './command.js'

// The built command that follows log files in a folder, and what it wrote of them to out.jsonl.

let dir: string
let running: Running[]

/** Each test of the file has a folder of its own; what it started is killed behind it. */
export function inFreshFolder(): void {
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'tocsin-files-'))
    running = []
  })
  afterEach(async () => {
    for (const { child } of running) child.kill('SIGKILL')
    await Promise.all(running.map(({ finished }) => finished))
    rmSync(dir, { recursive: true, force: true })
  })
}

interface Follow {
  readonly include: string
  /** More keys of file_log, in flow style. */
  readonly more?: string
  readonly processors?: string
  readonly pipeline?: string
}

export function start({ include, more, processors, pipeline = '[]' }: Follow): Running {
  const startAt = more?.includes('start_at') ? '' : 'start_at: beginning, '
  const yaml = `
receivers:
  file_log: { include: ['${include}'], ${startAt}storage: file_storage${more ? `, ${more}` : ''} }
${processors ? `processors:${processors}` : ''}
exporters:
  file: { path: out.jsonl }
extensions:
  file_storage: { directory: data }
service:
  extensions: [file_storage]
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [file_log], processors: ${pipeline}, exporters: [file] }
`
  write('tocsin.yaml', yaml)
  return kept(startCommand(['--config', 'tocsin.yaml'], { cwd: dir, input: '' }))
}

export async function follow(options: Follow): Promise<Running> {
  const command = start(options)
  await command.says(/is running/, 180_000)
  return command
}

export function kept(command: Running): Running {
  running.push(command)
  return command
}

export async function stop({ child, finished }: Running, signal: NodeJS.Signals = 'SIGTERM') {
  child.kill(signal)
  return finished
}

export async function comes(expected: readonly string[], order = 'in order'): Promise<void> {
  const sorted = (all: readonly string[]) => (order === 'in order' ? all : [...all].sort())
  await expect.poll(() => sorted(bodies()), { timeout: 20_000, interval: 100 }).toEqual(sorted(expected))
}

export function comesSome(): Promise<void> {
  return expect.poll(() => records().length, { timeout: 60_000, interval: 5 }).toBeGreaterThan(0)
}

/** The whole lines of OTLP JSON that were written; a kill may leave a part of one. */
export function records(file = 'out.jsonl'): string[] {
  if (!existsSync(at(file))) return []
  return readFileSync(at(file), 'utf8')
    .split('\n')
    .filter(line => line.endsWith('}'))
}

export function bodies(file?: string): string[] {
  const written = records(file).map(line => JSON.parse(line) as Written)
  const scopes = written.flatMap(one => one.resourceLogs.flatMap(({ scopeLogs }) => scopeLogs))
  return scopes.flatMap(({ logRecords }) => logRecords.map(({ body }) => body.stringValue))
}

interface Written {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly {
      readonly logRecords: readonly { readonly body: { readonly stringValue: string } }[]
    }[]
  }[]
}

export function at(name: string): string {
  return join(dir, name)
}

export function write(name: string, text: string): void {
  mkdirSync(dirname(at(name)), { recursive: true })
  writeFileSync(at(name), text)
}

export function append(name: string, text: string): void {
  appendFileSync(at(name), text)
}

export function numbered(word: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `${word} ${index}\n`).join('')
}
