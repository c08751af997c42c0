import { open, stat, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { PermanentError, parseDuration, parseRfc3339, type ReceiverFactory } from '../../component/index.js'
import { checkTimeZone } from '../../config/index.js'
import { systemClock } from '../../service/clock.js'
import type { ServiceSettings } from '../../service/settings.js'
import type { Distribution } from '../distribution.js'
import { type CommandIo, type ConfigOptions, print } from '../io.js'
import { load } from '../load.js'
import { differencesOf } from './against.js'
import { htmlOf } from './html.js'
import { Progress } from './progress.js'
import { reportOf, type Shown, tableOf } from './report.js'
import { type Replay, runReplay } from './run-replay.js'
import type { Inputs } from './sources.js'

export interface ReplayCommandOptions extends ConfigOptions {
  readonly from?: string
  readonly to?: string
  readonly timeZone?: string
  readonly year?: string
  readonly receiver?: string
  readonly against?: string
  readonly json?: boolean
  readonly html?: string
  readonly suggest?: boolean
  readonly top?: string
}

/** Shows what a configuration would have done with past logs. The answer is the exit code. */
export async function replay(
  distribution: Distribution,
  names: readonly string[],
  options: ReplayCommandOptions,
  io: CommandIo,
): Promise<number> {
  const { settings } = await load(distribution, options, io)
  const numbers = { year: numberOf('--year', options.year), top: numberOf('--top', options.top) ?? 10 }
  const timeZone = options.timeZone ?? 'UTC'
  const wrongZone = checkTimeZone(timeZone)
  if (wrongZone) throw mistake(`--time-zone: ${(wrongZone as { message: string }).message}`)
  const inputs = await inputsOf(settings, names, options, io)
  if (options.against !== undefined && inputs.files.some(({ path }) => path === '-'))
    throw mistake('--against reads the input twice, which standard input cannot be: name a file')
  const stop = new AbortController()
  const signals = (['SIGINT', 'SIGTERM'] as const).map(signal => io.onSignal(signal, () => stop.abort()))
  const run = (one: ServiceSettings, title: string): Promise<Replay> => {
    const progress = new Progress(io, title, inputs, total)
    return runReplay({
      settings: one,
      inputs,
      timeZone,
      year: numbers.year,
      stdin: io.stdin,
      signal: stop.signal,
      bursts: options.suggest ?? false,
      progress: (records, bytes, at) => progress.show(records, bytes, at),
    }).finally(() => progress.clear())
  }
  const sizes = await Promise.all(inputs.files.map(({ path }) => (path === '-' ? undefined : stat(path))))
  const total = sizes.reduce((sum, entry) => sum + (entry?.size ?? 0), 0)
  try {
    const other =
      options.against === undefined ? undefined : await otherSettings(distribution, settings, options, io)
    const before = await run(settings, '')
    const after = other && (await run(other, 'with the change'))
    const differences = after && differencesOf(before, after)
    const shown: Shown = { replay: after ?? before, top: numbers.top, differences }
    if (options.html !== undefined) await writeReport(resolve(io.cwd, options.html), htmlOf(shown))
    await print(io, options.json ? `${JSON.stringify(reportOf(shown), null, 2)}\n` : tableOf(shown))
    return stop.signal.aborted ? 1 : 0
  } finally {
    for (const off of signals) off()
  }
}

async function writeReport(path: string, html: string): Promise<void> {
  await writeFile(path, html).catch(error => {
    throw mistake(`--html ${path} cannot be written: ${(error as Error).message}`)
  })
}

/** Another configuration, or this one with another table in place of the one of its kind. */
async function otherSettings(
  distribution: Distribution,
  settings: ServiceSettings,
  options: ReplayCommandOptions,
  io: CommandIo,
): Promise<ServiceSettings> {
  const against = options.against as string
  if (!/\.csv(\.gz)?$/i.test(against))
    return (await load(distribution, { ...options, config: [against] }, io)).settings
  await readable(resolve(io.cwd, against))
  const places: string[] = []
  for (const [id, { config }] of settings.graph.processors)
    for (const path of filePaths(config, /\.csv(\.gz)?$/i)) places.push(['processors', id, ...path].join('.'))
  const [only, ...more] = places
  if (only === undefined || more.length > 0) {
    const found = only === undefined ? 'no processor has a .csv file' : `${places.join(' and ')} have one`
    throw mistake(`--against ${against}: ${found}: name a whole configuration instead`)
  }
  const set = [...options.set, `${only}=${resolve(io.cwd, against)}`]
  return (await load(distribution, { ...options, set }, io)).settings
}

/** The keys of a configuration whose values name such files. */
function filePaths(value: unknown, pattern: RegExp): string[][] {
  if (typeof value === 'string') return pattern.test(value) ? [[]] : []
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, item]) => filePaths(item, pattern).map(path => [key, ...path]))
}

async function inputsOf(
  { graph }: ServiceSettings,
  names: readonly string[],
  { from, to, receiver }: ReplayCommandOptions,
  io: CommandIo,
): Promise<Inputs> {
  const used = new Set([...graph.pipelines.values()].flatMap(({ receivers }) => receivers))
  const all = [...graph.receivers.keys()].filter(id => used.has(id))
  const known = (id: string): string => {
    if (all.includes(id)) return id
    throw mistake(`no pipeline has the receiver ${id}: there is ${all.join(', ')}`)
  }
  const files: { path: string; receiver: string }[] = []
  for (const name of names) {
    const equals = name.indexOf('=')
    const before = name.slice(0, Math.max(0, equals))
    const own = all.includes(before) ? before : undefined
    const path = own === undefined ? name : name.slice(equals + 1)
    const into = own ?? (receiver !== undefined ? known(receiver) : all.length === 1 ? all[0] : undefined)
    if (into === undefined)
      throw mistake(
        `through which receiver does ${path} come? Write --receiver ID, or ID=${path}: there is ${all.join(', ')}`,
      )
    const absolute = path === '-' ? path : resolve(io.cwd, path)
    if (absolute !== '-') await readable(absolute)
    files.push({ path: absolute, receiver: into })
  }
  const range = rangeOf(from, to)
  const asked = range
    ? (receiver === undefined ? all : [known(receiver)]).filter(id =>
        canQuery(graph.receivers.get(id)?.factory),
      )
    : []
  if (range && asked.length === 0)
    throw mistake(
      '--from reads from a source that keeps its logs, such as victorialogs: no receiver here does',
    )
  if (files.length === 0 && !range)
    throw mistake(
      'what is to be replayed? Name log files (.gz too), - for standard input, or --from TIME for a source that keeps its logs',
    )
  return { files, range: range && { ...range, receivers: asked } }
}

/** Receivers that can be asked for a time range say so when they are made; here their kind is enough. */
function canQuery(factory: unknown): boolean {
  return (factory as ReceiverFactory | undefined)?.past !== undefined
}

function rangeOf(from: string | undefined, to: string | undefined): { from: bigint; to: bigint } | undefined {
  if (from === undefined && to === undefined) return undefined
  if (from === undefined) throw mistake('--to needs a --from')
  const now = systemClock.now()
  const range = { from: timeOf('--from', from, now), to: to === undefined ? now : timeOf('--to', to, now) }
  if (range.from >= range.to) throw mistake('--from is not before --to')
  return range
}

/** RFC 3339, or how long ago. */
function timeOf(option: string, text: string, now: bigint): bigint {
  const ago = parseDuration(text)
  const time = ago === undefined ? parseRfc3339(text) : now - BigInt(Math.round(ago * 1e6))
  if (time === undefined)
    throw mistake(
      `${option} ${text}: write a time such as 2026-01-15T10:00:00Z, or how long ago, such as 24h`,
    )
  return time
}

function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw mistake(`${option} ${text}: write a whole number`)
}

async function readable(path: string): Promise<void> {
  const handle = await open(path).catch(error => {
    throw mistake(`${path} cannot be read: ${(error as Error).message}`)
  })
  const entry = await handle.stat()
  await handle.close()
  if (entry.isDirectory()) throw mistake(`${path} is a folder: name files`)
}

function mistake(message: string): PermanentError {
  return new PermanentError('invalid_arguments', message)
}
