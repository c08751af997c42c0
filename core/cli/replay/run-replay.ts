import type { ComponentContext, Intake } from '../../component/index.js'
import { type PastLog, Rehearsal, type WatchedRules } from '../../rehearsal/index.js'
import { systemClock } from '../../service/clock.js'
import type { ServiceSettings } from '../../service/settings.js'
import { collectingLogger } from '../../testing/context.js'
import { seededRandom } from '../../testing/random.js'
import { Bursts } from './bursts.js'
import { type Inputs, pieces } from './sources.js'
import { type RuleTally, ruleId, Tally } from './tally.js'

export interface Replay {
  readonly tally: Tally
  /** Only when asked for. */
  readonly bursts: Bursts | undefined
  readonly rules: readonly RuleTally[]
  readonly records: number
  readonly bytes: number
  readonly ms: number
  /** Event times of what was read, ns since the epoch. */
  readonly first: bigint | undefined
  readonly last: bigint | undefined
  readonly warnings: readonly string[]
}

export interface ReplayOptions {
  readonly settings: ServiceSettings
  readonly inputs: Inputs
  readonly timeZone: string
  readonly year: number | undefined
  readonly stdin: NodeJS.ReadableStream | undefined
  readonly signal: AbortSignal
  /** Whether to see what comes together. */
  readonly bursts: boolean
  progress(records: number, bytes: number, at: bigint): void
}

/** Runs a configuration over what is past, on its own time. Throws what keeps it from starting, and files that cannot be read. */
export async function runReplay(options: ReplayOptions): Promise<Replay> {
  const { settings, signal } = options
  let windows: Map<string, number | undefined> | undefined
  const bursts = options.bursts
    ? new Bursts(rule => {
        windows ??= windowsOf(rehearsal.rules())
        return windows.get(rule)
      })
    : undefined
  const tally = new Tally(bursts)
  const warnings = new Set<string>()
  const contexts = new Map<string, ComponentContext<object>>()
  const intakes = new Map<string, Intake>()
  const logger = collectingLogger({
    push: ({ level, message, attributes }) => {
      if ((level === 'warn' || level === 'error') && warnings.size < 50)
        warnings.add([message, attributes.reason].filter(Boolean).join(' '))
    },
  })
  const rehearsal = new Rehearsal({
    settings,
    clock: systemClock,
    random: seededRandom(1),
    logger: { ...logger, child: () => logger },
    receiver: (plan, context) => {
      contexts.set(plan.id, { ...context, config: plan.config })
      return {
        start: async intake => void intakes.set(plan.id, intake),
        stop: async () => undefined,
        watermark: () => undefined,
      }
    },
    send: outgoing => void tally.sending(outgoing),
    decided: decision => tally.decided(decision),
  })
  const started = systemClock.monotonicMs()
  let [records, bytes] = [0, 0]
  let [first, last]: (bigint | undefined)[] = []
  const logs: PastLog[] = []
  const settling = new Set<Promise<void>>()
  await rehearsal.start()
  try {
    const now = systemClock.now()
    const times = { timeZone: options.timeZone, year: options.year, now }
    const onBytes = (read: number): void => {
      bytes += read
    }
    const source = pieces({ ...options, contexts, times, onBytes }, logs)
    for await (const { receiver, records: batch } of source) {
      if (signal.aborted) break
      const intake = intakes.get(receiver) as Intake
      for (;;) {
        await intake.ready()
        const offered = intake.offer(batch)
        if ((await Promise.race([offered, undefined]))?.busy) continue
        const settled: Promise<void> = offered.then(answer => {
          if (!answer.busy) answer.release()
          settling.delete(settled)
        })
        settling.add(settled)
        break
      }
      records += batch.length
      const [head, end] = [batch[0]?.time ?? 0n, batch.at(-1)?.time ?? 0n]
      if (first === undefined || head < first) first = head
      if (last === undefined || end > last) last = end
      options.progress(records, bytes, end)
    }
    for (const intake of intakes.values()) intake.end()
  } finally {
    await rehearsal.stop()
  }
  for (const log of logs) {
    const { timed, untimed } = log.times
    if (untimed > 0 && timed === 0)
      warnings.add(`No line of ${log.path} says when it was written: all count as of now.`)
  }
  // They are decided key by key within a batch.
  tally.episodes.sort((a, b) => (a.firedAt < b.firedAt ? -1 : a.firedAt > b.firedAt ? 1 : 0))
  return {
    tally,
    bursts,
    rules: tally.rules(rehearsal.rules()),
    records,
    bytes,
    ms: systemClock.monotonicMs() - started,
    first,
    last,
    warnings: [...warnings],
  }
}

function windowsOf(watched: readonly WatchedRules[]): Map<string, number | undefined> {
  return new Map(
    watched.flatMap(({ pipeline, processor, rules }) =>
      rules.map(rule => [ruleId(pipeline, processor, rule.id), rule.windowMs] as const),
    ),
  )
}
