import { createNoopMeter } from '@opentelemetry/api'
import {
  type DeadLetterSummary,
  formatRfc3339,
  type Logger,
  PermanentError,
  type StorageProvider,
  toJson,
  toText,
} from '../component/index.js'
import { createDeadLetters, type DeadLetters, dropQueued, queueNamespace } from '../delivery/index.js'
import { attachDefaultStorage } from '../service/attached-storage.js'
import { systemClock } from '../service/clock.js'
import type { ServiceSettings } from '../service/settings.js'
import { dropSharedQueues } from '../service/shared-queue.js'
import { createLogger } from '../telemetry/logger.js'
import type { Distribution } from './distribution.js'
import { type CommandIo, type ConfigOptions, print } from './io.js'
import { load } from './load.js'

export interface DeadLetterOptions extends ConfigOptions {
  readonly json?: boolean
  readonly all?: boolean
  readonly component?: string
  /** An exporter that is no longer in use. */
  readonly queue?: string
}

const PAGE = 100
const MAX_DETAIL = 100

/** Prints the dead letters, oldest first; with `json` one object a line, with the records. */
export function listDeadLetters(
  distribution: Distribution,
  options: DeadLetterOptions,
  io: CommandIo,
): Promise<number> {
  return withLetters(distribution, options, io, async letters => {
    let count = 0
    for await (const letter of lettersOf(letters, options.component)) {
      if (count === 0 && !options.json) await print(io, HEADER)
      count++
      await print(io, options.json ? `${await jsonLine(letters, letter)}\n` : `${line(letter)}\n`)
    }
    if (count === 0 && !options.json) await print(io, 'There are no dead letters.\n')
    return 0
  })
}

/** Asks the collector to send them again. */
export function retryDeadLetters(
  distribution: Distribution,
  ids: readonly string[],
  options: DeadLetterOptions,
  io: CommandIo,
): Promise<number> {
  return withLetters(distribution, options, io, async (letters, settings) => {
    const chosen = await choose(letters, ids, options)
    const sendable = chosen.filter(({ component }) => isExporterOf(settings, component))
    const others = [
      ...new Set(chosen.filter(letter => !sendable.includes(letter)).map(letter => letter.component)),
    ]
    for (const component of others) {
      const why = component.startsWith('exporter/')
        ? 'that exporter is in no pipeline of the configuration'
        : 'only what exporters gave up can be'
      io.stderr.write(`Letters of ${component} cannot be sent again: ${why}.\n`)
    }
    const count = await letters.requestRetry(sendable.map(({ id }) => id))
    await print(
      io,
      count > 0
        ? `${letterCount(count)} will be sent again: by the running collector within seconds, else at its next start.\n`
        : 'Nothing will be sent again.\n',
    )
    return others.length > 0 || missing(ids, chosen, io) ? 1 : 0
  })
}

/** Removes them for good; or the queue that an exporter left. */
export function dropDeadLetters(
  distribution: Distribution,
  ids: readonly string[],
  options: DeadLetterOptions,
  io: CommandIo,
): Promise<number> {
  const { queue } = options
  if (queue !== undefined) return dropQueue(distribution, queue, options, io)
  return withLetters(distribution, options, io, async letters => {
    const chosen = await choose(letters, ids, options)
    const count = await letters.remove(chosen.map(({ id }) => id))
    await print(io, `${letterCount(count)} dropped.\n`)
    return missing(ids, chosen, io) ? 1 : 0
  })
}

function dropQueue(
  distribution: Distribution,
  exporter: string,
  options: ConfigOptions,
  io: CommandIo,
): Promise<number> {
  return withStorage(distribution, options, io, async (storage, settings) => {
    if (isExporterOf(settings, `exporter/${exporter}`)) {
      const fix = 'take it out of its pipelines first'
      throw new PermanentError('queue_in_use', `The exporter ${exporter} uses its queue: ${fix}.`)
    }
    const count = storage.lease
      ? await dropSharedQueues(storage, exporter)
      : await dropQueued(storage.keyValue(queueNamespace(exporter)))
    await print(io, `${count} queued request${count === 1 ? '' : 's'} dropped.\n`)
    return 0
  })
}

function withLetters(
  distribution: Distribution,
  options: ConfigOptions,
  io: CommandIo,
  work: (letters: DeadLetters, settings: ServiceSettings) => Promise<number>,
): Promise<number> {
  return withStorage(distribution, options, io, (storage, settings, logger) => {
    const store = storage.keyValue('dead_letters')
    return work(createDeadLetters({ store, clock: systemClock, logger, meter: createNoopMeter() }), settings)
  })
}

async function withStorage(
  distribution: Distribution,
  options: ConfigOptions,
  io: CommandIo,
  work: (storage: StorageProvider, settings: ServiceSettings, logger: Logger) => Promise<number>,
): Promise<number> {
  const { settings } = await load(distribution, options, io)
  const logger = createLogger({ level: 'warn', encoding: 'console', output: io.stderr })
  const clock = systemClock
  const attached = await attachDefaultStorage(settings, { logger, clock, version: distribution.version })
  try {
    return await work(attached.storage, settings, logger)
  } finally {
    await attached.close()
  }
}

async function* lettersOf(letters: DeadLetters, component?: string): AsyncGenerator<DeadLetterSummary> {
  for (let after: string | undefined; ; ) {
    const page = await letters.list({ limit: PAGE, ...(after !== undefined && { after }) })
    for (const letter of page) if (isOf(letter, component)) yield letter
    after = page.at(-1)?.id
    if (after === undefined) return
  }
}

/** `webhook/oncall` stands for `exporter/webhook/oncall`. */
function isOf(letter: DeadLetterSummary, component: string | undefined): boolean {
  return (
    component === undefined || letter.component === component || letter.component === `exporter/${component}`
  )
}

async function choose(
  letters: DeadLetters,
  ids: readonly string[],
  { all = false, component }: DeadLetterOptions,
): Promise<DeadLetterSummary[]> {
  if (ids.length > 0 === (all || component !== undefined)) {
    throw new PermanentError(
      'no_choice',
      'Name the ids of letters (see "list"), or --component ID, or --all.',
    )
  }
  const chosen: DeadLetterSummary[] = []
  for await (const letter of lettersOf(letters, component)) {
    if (ids.length === 0 || ids.includes(letter.id)) chosen.push(letter)
  }
  return chosen
}

function missing(ids: readonly string[], chosen: readonly DeadLetterSummary[], io: CommandIo): boolean {
  const unknown = ids.filter(id => !chosen.some(letter => letter.id === id))
  if (unknown.length > 0) io.stderr.write(`There is no dead letter ${unknown.join(', ')}.\n`)
  return unknown.length > 0
}

function isExporterOf({ graph }: ServiceSettings, component: string): boolean {
  return [...graph.pipelines.values()].some(({ exporters }) =>
    exporters.some(id => component === `exporter/${id}` && graph.exporters.has(id)),
  )
}

const HEADER = `${'ID'.padEnd(24)}${'TIME'.padEnd(26)}RECORDS  COMPONENT: REASON (DETAIL)\n`

function line({ id, at, component, recordCount, reason, detail, retryRequested }: DeadLetterSummary): string {
  // What a destination answered must not steer the terminal.
  const text = detail.replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ')
  const short = text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL)}…` : text
  const retry = retryRequested ? ' [will be sent again]' : ''
  return `${id.padEnd(24)}${timeOf(at).padEnd(26)}${String(recordCount).padEnd(9)}${component}: ${reason} (${short})${retry}`
}

async function jsonLine(letters: DeadLetters, summary: DeadLetterSummary): Promise<string> {
  const letter = await letters.get(summary.id).catch(() => undefined)
  const { id, at, component, pipeline, reason, detail, bytes, retryRequested } = summary
  return JSON.stringify({
    id,
    time: timeOf(at),
    component,
    pipeline,
    reason,
    detail,
    bytes,
    retry_requested: retryRequested,
    records: letter?.records.map(record => ({
      time: record.time === 0n ? undefined : formatRfc3339(record.time),
      severity: record.severityText || undefined,
      body: toText(record.body),
      attributes: toJson(record.attributes),
      resource: toJson(record.resource.attributes),
    })),
  })
}

function timeOf(at: bigint): string {
  // Seconds are enough for people; ids keep the order.
  return formatRfc3339((at / 1_000_000_000n) * 1_000_000_000n)
}

function letterCount(count: number): string {
  return `${count} dead letter${count === 1 ? '' : 's'}`
}
