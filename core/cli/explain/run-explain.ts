import { errorText, formatRfc3339, type LogRecord, PermanentError } from '../../component/index.js'
import { msToNs } from '../../model/index.js'
import type { Decision, Outgoing } from '../../rehearsal/index.js'
import type { ServiceSettings } from '../../service/settings.js'
import { VirtualClock } from '../../testing/clock.js'
import type { AlertHistory, AlertStory, Silence } from '../../toolkit/history/index.js'
import { compileCondition } from '../../toolkit/ottl/index.js'
import { Stage } from '../stage.js'
import { Offers, receiverOf } from '../test/inputs.js'
import type { Item, TestCase } from '../test/schema.js'
import { shownNotification, shownRecord } from '../test/shown.js'
import type { Explanation, ExporterExplained, PipelineExplained, StepExplained } from './explanation.js'
import type { LiveStorages } from './live-storage.js'
import { arrivedIn, keyOf, type Step, stepOf } from './steps.js'

export interface ExplainRequest {
  readonly settings: ServiceSettings
  readonly live: LiveStorages
  /** ns since the epoch. */
  readonly at: bigint
  /** A line, or the id of an alert in the history. */
  readonly line?: string
  readonly eventId?: string
  readonly attributes: { readonly [name: string]: string }
  readonly pipeline?: string
  readonly receiver?: string
  /** What a running collector says of the alert, and its silences. */
  readonly told?: { readonly story: AlertStory | undefined; readonly silences: readonly Silence[] }
}

const STARTING_NS = 60_000_000_000n
const WAIT_NS = 1_000_000_000n

/** Takes one line through the configuration. Throws what keeps it from that. */
export async function runExplain(request: ExplainRequest): Promise<Explanation> {
  const { settings, live, at, told } = request
  const clock = new VirtualClock(at - STARTING_NS)
  const steps = new Map<string, Step>()
  const decisions: Decision[] = []
  const sent: Outgoing[] = []
  const withheld: { pipeline: string; exporter: string; record: LogRecord; reason: string }[] = []
  const problems = new Set<string>()
  let history: AlertHistory | undefined
  /** What comes of the start, of old timers, is not of the line. */
  let looking = false
  const stage = new Stage({
    settings,
    clock,
    storage: live.storage,
    extension: (_, extension) => {
      if ('silencedBy' in extension) history = extension as unknown as AlertHistory
    },
    log: ({ level, message, attributes }) => {
      const { reason, problems: more, error } = attributes
      if ((looking || more !== undefined) && (level === 'warn' || level === 'error'))
        problems.add([message, reason ?? more ?? error].filter(Boolean).join(' '))
    },
    refused: (receiver, reason) => void problems.add(`${receiver} was refused: ${reason}`),
    send: async outgoing => {
      if (looking) sent.push(outgoing)
    },
    decided: decision => {
      if (looking) decisions.push(decision)
    },
    flow: {
      exporters: [...settings.graph.exporters.keys()],
      processed: (pipeline, processor, incoming, outgoing) => {
        if (!looking) return
        const key = keyOf(pipeline, processor)
        const step = steps.get(key) ?? { incoming: [], outgoing: [] }
        step.incoming.push(...incoming)
        step.outgoing.push(...outgoing)
        steps.set(key, step)
      },
      withheld: (pipeline, exporter, records, reason) => {
        if (looking) withheld.push(...records.map(record => ({ pipeline, exporter, record, reason })))
      },
      givenUp: (pipeline, component, records, _, { detail }) => {
        if (looking) problems.add(`${component} in ${pipeline} gave up ${records.length}: ${detail}`)
      },
    },
  })
  await stage.during(stage.rehearsal.start())
  let stopped = false
  const stop = async (): Promise<void> => {
    if (!stopped) await stage.during(stage.rehearsal.stop())
    stopped = true
  }
  try {
    await stage.moveTo(at)
    const asked = history
    const silences = asked ? await stage.during(silencesIn(asked, told?.silences ?? [], at)) : new Map()
    const story =
      request.eventId === undefined ? undefined : await storyOf(request.eventId, request, asked, stage)
    const test = testCase(request, story)
    const receiver = receiverOf(settings, test)
    const records: LogRecord[] = []
    for await (const offer of new Offers(settings, test, receiver, settings.baseDir).all(at, stage.contexts))
      records.push(...offer.records)
    if (records.length > 1)
      throw mistake(`that is ${records.length} records for ${receiver}: give one line at a time`)
    looking = true
    for (const record of records) {
      await stage.during(stage.offer(receiver, [record]))
      await stage.sendTime()
      // A batch that waits for others comes out by then.
      await stage.moveTo(at + WAIT_NS)
    }
    const notifications =
      (await asked?.notifications({ states: ['suppressed'], from: Number(at / 1_000_000n) - 1_000 })) ?? []
    const pipelines: PipelineExplained[] = []
    await stop()
    const rules = stage.rehearsal.rules()
    const explained = new Map(
      [...steps].map(([key, { incoming }]) => {
        const [pipeline, processor] = JSON.parse(key) as [string, string]
        return [key, incoming.flatMap(record => stage.rehearsal.explain(pipeline, processor, record) ?? [])]
      }),
    )
    const [record] = records
    for (const { id, processors, exporters, receivers } of settings.graph.pipelines.values()) {
      const own = receivers.includes(receiver) && record ? [record] : []
      const arrived = arrivedIn(id, processors, steps, own)
      if (arrived.length === 0 && !processors.some(processor => steps.has(keyOf(id, processor)))) continue
      const said: StepExplained[] = []
      for (const processor of processors) {
        const step = steps.get(keyOf(id, processor))
        if (!step) break
        said.push(
          stepOf(processor, step, {
            rules: rules.find(one => one.pipeline === id && one.processor === processor)?.rules ?? [],
            findings: explained.get(keyOf(id, processor)) ?? [],
            decisions: decisions.filter(one => one.pipeline === id && one.processor === processor),
          }),
        )
      }
      const told: ExporterExplained[] = []
      for (const exporter of exporters)
        for (const one of arrived) told.push(...(await exporterOf(id, exporter, one)))
      pipelines.push({ pipeline: id, steps: said, exporters: told })
    }

    async function exporterOf(
      pipeline: string,
      exporter: string,
      record: LogRecord,
    ): Promise<ExporterExplained[]> {
      const plan = settings.graph.exporters.get(exporter)
      if (!plan) return []
      const held = withheld.find(
        one => one.pipeline === pipeline && one.exporter === exporter && one.record === record,
      )
      if (held) {
        const { alert } = record.attributes as { readonly alert?: { readonly event_id?: unknown } }
        const ids =
          ('items' in notifications ? notifications.items : []).find(
            one => one.exporter === exporter && one.alert === alert?.event_id,
          )?.silences ?? []
        const holding = ids.flatMap(id => silences.get(id) ?? [])
        return [
          { exporter, sent: false, reason: held.reason, ...(holding.length > 0 && { silences: holding }) },
        ]
      }
      const outgoing = sent.find(
        ({ exporter: to, request }) =>
          to === exporter && request.pipeline === pipeline && request.records.includes(record),
      )
      if (outgoing) {
        const one = { ...outgoing, request: { ...outgoing.request, records: [record] } }
        if (!outgoing.notifying) return [{ exporter, sent: true, record: shownRecord(record, at) }]
        try {
          return [{ exporter, sent: true, notification: await shownNotification(one, at, at) }]
        } catch (error) {
          return [{ exporter, sent: false, reason: 'cannot_render', why: errorText(error) }]
        }
      }
      return [{ exporter, sent: false, ...conditionOf(plan.config, record) }]
    }

    return {
      at: formatRfc3339(at),
      receiver,
      state: live.notes,
      ...(story && { happened: { ...story, silences: silencesOf(story, [...silences.values()]) } }),
      record: record && shownRecord(record, at),
      pipelines: request.pipeline === undefined ? pipelines : behind(request.pipeline, pipelines, settings),
      problems: [...problems],
    }
  } finally {
    await stop()
  }
}

/** Those of the history and those that were told, which it takes over, by the ids that it knows them by. */
async function silencesIn(
  history: AlertHistory,
  told: readonly Silence[],
  at: bigint,
): Promise<Map<string, Silence>> {
  const found = new Map((await history.silences()).map(one => [one.id, one]))
  for (const silence of told) {
    const { id, updatedAt: _, state, ...fields } = silence
    if (found.has(id)) continue
    const ahead = state === 'active' && msToNs(fields.endsAt) > at
    found.set(ahead ? (await history.setSilence(fields)).id : id, silence)
  }
  return found
}

async function storyOf(
  id: string,
  { told }: ExplainRequest,
  history: AlertHistory | undefined,
  stage: Stage,
): Promise<AlertStory> {
  const story = told?.story ?? (history && (await stage.during(history.alert(id))))
  if (story) return story
  const why =
    history || told
      ? 'the history does not know it, or not any more. An event that only counted towards a threshold is not in it either; with an alert_history in memory, name --collector URL'
      : 'the configuration has no alert_history extension'
  throw new PermanentError('unknown_event', `There is no alert with the event_id ${id}: ${why}.`)
}

/** What was read of an alert is a record again; a line comes as the receiver reads it. */
function testCase(request: ExplainRequest, story: AlertStory | undefined): TestCase {
  const { line, attributes, settings, pipeline, receiver } = request
  const item: Item = story
    ? {
        body: story.why.text,
        times: 1,
        attributes: { ...story.attributes, ...attributes },
        resource: story.resource,
      }
    : { line: line ?? '', times: 1, attributes }
  const through = pipeline ?? story?.alert.pipeline
  return {
    name: 'explain',
    ...(receiver !== undefined
      ? { receiver }
      : through !== undefined && {
          pipeline: story && pipeline === undefined ? first(through, settings) : through,
        }),
    time_zone: 'UTC',
    set: [],
    input: [item],
    advance: '0s',
    expect: {},
    start: formatRfc3339(request.at),
  }
}

/** The pipeline with receivers from which a record comes to this one. */
function first(pipeline: string, { graph }: ServiceSettings, seen: readonly string[] = []): string {
  const plan = graph.pipelines.get(pipeline)
  const connector = plan?.receivers.find(id => graph.connectors.has(id))
  if (!plan || connector === undefined || plan.receivers.some(id => graph.receivers.has(id))) return pipeline
  const before = [...graph.pipelines.values()].find(
    ({ id, exporters }) => exporters.includes(connector) && !seen.includes(id),
  )
  return before ? first(before.id, { graph } as ServiceSettings, [...seen, pipeline]) : pipeline
}

/** The named one, and what its connectors feed. */
function behind(
  pipeline: string,
  all: readonly PipelineExplained[],
  { graph }: ServiceSettings,
): readonly PipelineExplained[] {
  const wanted = new Set([pipeline])
  for (const id of wanted)
    for (const next of graph.pipelines.values())
      if (next.receivers.some(source => graph.pipelines.get(id)?.exporters.includes(source)))
        wanted.add(next.id)
  return all.filter(one => wanted.has(one.pipeline))
}

function conditionOf(config: object, record: LogRecord): { readonly reason: string; readonly why?: string } {
  const { condition } = config as { readonly condition?: string }
  if (condition === undefined) return { reason: 'not_sent', why: 'the record did not come to it' }
  try {
    return compileCondition(condition).test(record)
      ? { reason: 'not_sent', why: 'the record did not come to it' }
      : { reason: 'condition_false', why: condition }
  } catch (error) {
    return { reason: 'condition_failed', why: `${condition}: ${errorText(error)}` }
  }
}

function silencesOf({ alert, notifications }: AlertStory, silences: readonly Silence[]): readonly Silence[] {
  const ids = new Set([...alert.silencedBy, ...notifications.flatMap(one => one.silences ?? [])])
  return silences.filter(({ id }) => ids.has(id))
}

function mistake(message: string): PermanentError {
  return new PermanentError('invalid_arguments', message)
}
