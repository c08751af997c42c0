import { randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { hostname } from 'node:os'
import {
  type AuthenticatorExtension,
  createRecord,
  type Exporter,
  errorText,
  type LogRecord,
  NO_RESOURCE,
  newMap,
  PermanentError,
  type StorageExtension,
} from '../component/index.js'
import { redactText } from '../config/secrets.js'
import { deliverySettings } from '../delivery/index.js'
import { type Apart, apart } from '../service/apart.js'
import { systemClock } from '../service/clock.js'
import type { ServiceSettings } from '../service/settings.js'
import { createLogger } from '../telemetry/logger.js'
import type { Distribution } from './distribution.js'
import { type CommandIo, type ConfigOptions, print } from './io.js'
import { load } from './load.js'

/**
 * Sends a sample alert and its recovery through one exporter of a configuration, past its queue, condition and retries, and
 * prints what was sent and what came back. The answer is 1 when one of them was not taken.
 */
export async function notify(
  distribution: Distribution,
  id: string,
  options: ConfigOptions,
  io: CommandIo,
): Promise<number> {
  const { settings, redact } = await load(distribution, options, io)
  const plan = settings.graph.exporters.get(id)
  if (!plan) {
    const there = [...settings.graph.exporters.keys()].join(', ')
    throw new PermanentError(
      'unknown_exporter',
      `There is no exporter ${id} in a pipeline; there are: ${there}.`,
    )
  }
  const root = createLogger({ level: 'warn', encoding: 'console', output: io.stderr })
  const made = apart(settings, { logger: root, clock: systemClock, version: distribution.version })
  // Also what is named like a secret in a body.
  const say = (text: string): Promise<void> => print(io, `${redactText(redact(text))}\n`)
  try {
    await startNeeded(plan.config, settings, made)
    const exporter = made.components.create<Exporter>('exporter', plan, [])
    const { notifying = false } = plan.factory as { readonly notifying?: boolean }
    const { timeoutMs } = deliverySettings(plan.config, { notifying, ordered: true, local: false }, undefined)
    await exporter.start?.()
    let failed = false
    for (const record of samples()) {
      const status = (record.get('attributes["alert"]["status"]') ?? '') as string
      await say(`== The sample ${status} through ${id}`)
      const { sent, exchanges } = await send(exporter, record, pipelineOf(id, settings), timeoutMs)
      for (const line of exchanges) await say(line)
      await say(sent.ok ? `Taken${sent.text === '' ? '' : `: ${sent.text}`}.` : `NOT TAKEN: ${sent.text}`)
      failed ||= !sent.ok
    }
    await exporter.stop?.()
    return failed ? 1 : 0
  } finally {
    await made.close()
  }
}

function pipelineOf(exporter: string, { graph }: ServiceSettings): string {
  return [...graph.pipelines].find(([, { exporters }]) => exporters.includes(exporter))?.[0] ?? ''
}

/** Who the exporter is to the destination. Storage is left alone: it is that of the collector. */
async function startNeeded(config: object, settings: ServiceSettings, made: Apart): Promise<void> {
  const named = new Set<unknown>()
  JSON.stringify(config, (_, value: unknown) => {
    named.add(value)
    return value
  })
  const needed = [...settings.extensions].filter(([id, plan]) => {
    if (!named.has(id)) return false
    const extension = made.components.create<Partial<AuthenticatorExtension & StorageExtension>>(
      'extension',
      plan,
      [],
    )
    return extension.storage === undefined
  })
  await made.extensions.switchTo(new Map(needed))
}

interface Outcome {
  readonly sent: { readonly ok: boolean; readonly text: string }
  /** What went over HTTP, in order. */
  readonly exchanges: readonly string[]
}

async function send(
  exporter: Exporter,
  record: LogRecord,
  pipeline: string,
  timeoutMs: number,
): Promise<Outcome> {
  const exchanges: string[] = []
  const stop = listenToHttp(line => exchanges.push(line))
  const answers: string[] = []
  const request = { records: [record], pipeline, queuedAt: systemClock.now(), attempt: 1 }
  try {
    const signal = timeoutMs === 0 ? new AbortController().signal : AbortSignal.timeout(timeoutMs)
    const sent = await exporter.send({ ...request, answered: text => answers.push(text) }, signal)
    const text = sent === 'ok' ? (answers.at(-1) ?? '') : sent.reason
    return { sent: { ok: sent === 'ok', text }, exchanges }
  } catch (error) {
    return { sent: { ok: false, text: errorText(error) }, exchanges }
  } finally {
    stop()
  }
}

/** What undici tells of each request. Headers may hold secrets: only the type is shown. */
function listenToHttp(say: (line: string) => void): () => void {
  const created = (message: unknown): void => {
    const { request } = message as { readonly request: HttpRequest }
    // The path of a webhook is a secret.
    const path = request.path === '/' ? '/' : '/[REDACTED]'
    say(`> ${request.method} ${new URL(request.origin).origin}${path}`)
    const body = typeof request.body === 'string' || Buffer.isBuffer(request.body) ? request.body : undefined
    if (body !== undefined) say(indented(body.toString()))
  }
  const answered = (message: unknown): void => {
    const { response } = message as { readonly response: { statusCode: number; statusText: string } }
    say(`< HTTP ${response.statusCode} ${response.statusText}`.trimEnd())
  }
  subscribe('undici:request:create', created)
  subscribe('undici:request:headers', answered)
  return () => {
    unsubscribe('undici:request:create', created)
    unsubscribe('undici:request:headers', answered)
  }
}

interface HttpRequest {
  readonly method: string
  readonly origin: string
  readonly path: string
  readonly body: unknown
}

/** JSON is shown as people read it. */
function indented(body: string): string {
  let text = body
  try {
    text = JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    // Shown as it is.
  }
  return text
    .replaceAll(/^/gm, '>   ')
    .replaceAll(/[\p{Cc}]/gu, character => (character === '\n' ? '\n' : '\ufffd'))
}

/** An alert and its recovery, as stateful_alert writes them, marked as what they are. */
function samples(): readonly LogRecord[] {
  const now = systemClock.now()
  const event = randomUUID().replaceAll('-', '')
  const sample = (status: 'alert' | 'recovery'): LogRecord =>
    createRecord({
      id: `${event}-${status}`,
      timestamp: now,
      observedTimestamp: now,
      severityNumber: status === 'alert' ? 17 : 9,
      severityText: status === 'alert' ? 'ERROR' : 'INFO',
      body:
        status === 'alert'
          ? 'TEST of tocsin notify: nothing is wrong. ERROR "quotes", <b>markup</b>, {braces}, ümläuts'
          : 'TEST of tocsin notify: nothing was wrong, and all is well again',
      resource: {
        ...NO_RESOURCE,
        attributes: newMap([
          ['host.name', hostname()],
          ['service.name', 'tocsin-notify'],
        ]),
      },
      attributes: newMap([
        [
          'alert',
          newMap([
            ['status', status],
            ['severity', 'critical'],
            ['normalized_message', 'TEST alert of tocsin notify'],
            ['pattern_matched', 'TEST of tocsin notify'],
            ['skip_webhook', false],
            ['alert_key', event],
            ['event_id', event],
            ['first_occurrence', new Date(Number(now / 1_000_000n)).toISOString()],
            ...(status === 'recovery'
              ? ([
                  ['recovery_reason', 'pattern'],
                  ['duplicate_count', 0n],
                ] as const)
              : []),
          ]),
        ],
      ]),
    })
  return [sample('alert'), sample('recovery')]
}
