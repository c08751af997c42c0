import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HttpDestination, httpDestination, seededRandom } from 'tocsin/testing'
import { FAILPOINTS, type Failpoint } from '../../core/failpoints.js'
import { startCommand } from '../support/command.js'
import { sleep } from './chaos-source.js'
import { type Comparison, compare, type Told, toldBy } from './told-once.js'

export interface KilledReplay {
  readonly seed: number
  /** How often the collector is killed before it may read the file to its end. */
  readonly kills: number
  readonly records: number
  /** Not at failpoints, but by a SIGKILL from outside, whatever it is at. */
  readonly anyMoment?: boolean
}

export interface ReplayReport extends Comparison {
  /** Where it was killed, in order. */
  readonly killedAt: readonly (Failpoint | typeof ANY_MOMENT)[]
  /** A life that ended neither by its failpoint nor well, with what it said. */
  readonly accidents: readonly string[]
}

/** So late a passing may be chosen, so that a life gets somewhere and the file lasts for all of them. */
const LATEST: { readonly [name in Failpoint]: number } = {
  after_reading: 4,
  after_deciding: 8,
  after_state_write: 8,
  after_queueing: 5,
  after_sending: 100,
  before_checkpoint: 3,
  after_checkpoint: 3,
}
const ANY_MOMENT = 'any moment'
/** So many notifications a life may be let tell before its kill, and so long it may go on then. */
const MOST_TOLD = 60
const MOST_LONGER_MS = 40
const KEYS = 60
/** Of each kind of notification. */
const LEAST = 100

/**
 * A file is replayed by the built command, which is killed at one failpoint after another and started again, until it
 * reads the file to its end. What the destination was told is compared with a run that nobody disturbs.
 */
export async function killedReplay({ seed, kills, records, anyMoment }: KilledReplay): Promise<ReplayReport> {
  const random = seededRandom(seed)
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-kill-'))
  const sink = await httpDestination()
  try {
    const file = join(folder, 'in.log')
    await writeFile(file, linesOf(records, random).join(''))
    const undisturbed = await replay(folder, 'undisturbed', file, sink)
    if (undisturbed !== 'ended') throw new Error(`The undisturbed run failed:\n${undisturbed}`)
    const expected = new Set(told(sink, '/undisturbed').keys())
    for (const kind of ['throttled', 'alert', 'recovery']) {
      const some = [...expected].filter(subject => subject.startsWith(kind)).length
      if (some < LEAST)
        throw new Error(`The undisturbed run told of ${some} times "${kind}": too few to compare.`)
    }

    const killedAt: (Failpoint | typeof ANY_MOMENT)[] = []
    const accidents: string[] = []
    for (let life = 0; ; life++) {
      const name = anyMoment ? ANY_MOMENT : (FAILPOINTS[(seed + life) % FAILPOINTS.length] as Failpoint)
      const end: End | undefined =
        killedAt.length === kills
          ? undefined
          : name === ANY_MOMENT
            ? { afterTold: Math.floor(random() * MOST_TOLD), andMs: random() * MOST_LONGER_MS }
            : { failpoints: `${name}=kill@${1 + Math.floor(random() * LATEST[name])}` }
      const how = await replay(folder, 'killed', file, sink, end)
      if (how === 'killed' && end) killedAt.push(name)
      else if (how === 'ended') break
      else accidents.push(how)
      if (accidents.length > 2) break
    }
    return { killedAt, accidents, ...compare(expected, told(sink, '/killed')) }
  } finally {
    await sink.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Of a life: by a failpoint, or by a SIGKILL so long after so many notifications. */
type End = { readonly failpoints: string } | { readonly afterTold: number; readonly andMs: number }

/** One life of a collector: `ended` (all is read and delivered), `killed`, or what it said. */
async function replay(
  folder: string,
  name: 'undisturbed' | 'killed',
  file: string,
  sink: HttpDestination,
  end?: End,
): Promise<string> {
  const yaml = configuration(join(folder, name), file, `${sink.url}/${name}`)
  const env = end && 'failpoints' in end ? { TOCSIN_FAILPOINTS: end.failpoints } : {}
  const { child, finished } = startCommand(['--config', `yaml:${yaml}`], { env })
  if (end && 'afterTold' in end) {
    const enough = sink.accepted.length + end.afterTold
    let over = false
    const ended = finished.then(() => {
      over = true
    })
    while (!over && sink.accepted.length < enough) await Promise.race([ended, sleep(2)])
    await sleep(end.andMs)
    child.kill('SIGKILL')
  }
  const { code, signal, stderr } = await finished
  if (signal === 'SIGKILL') return 'killed'
  return code === 0 ? 'ended' : stderr
}

/** Lines of about 1 KB, so that a file has many batches; one in three is no error. One a tenth of a second. */
function linesOf(count: number, random: () => number): string[] {
  const start = Date.parse('2026-01-01T00:00:00Z')
  const padding = 'x'.repeat(900)
  return Array.from({ length: count }, (_, index) => {
    const time = new Date(start + index * 100).toISOString()
    const level = random() < 1 / 3 ? 'info' : 'error'
    const key = Math.floor(random() ** 2 * KEYS)
    return `${time} n=${index} level=${level} key=k${key} ${padding}\n`
  })
}

/** Two pipelines over one file, with two queues. Windows and alerts begin and end all through the file, for each key. */
function configuration(data: string, file: string, endpoint: string): string {
  return `
receivers:
  file_log: { include: ['${file}'], start_at: beginning, stop_at_end: true, storage: file_storage }
processors:
  parser:
    regex: '^(?P<time>\\S+) n=(?P<n>\\d+) level=\\w+ key=(?P<key>\\w+)'
    timestamp: { from: time, format: rfc3339 }
  throttle: { key: "{{key}}", count: 1, window: 60s, storage: file_storage }
  stateful_alert:
    patterns:
      - alert_pattern: level=error
        recovery_pattern: level=info
        severity: critical
        normalized_message: An error
        alert_schema: threshold,3,30,2,60,90
    hash_keys: [key]
    storage: file_storage
exporters:
  webhook/throttled:
    endpoint: '${endpoint}'
  webhook/alerts:
    endpoint: '${endpoint}'
    condition: 'attributes["alert"]["skip_webhook"] == false'
extensions:
  file_storage: { directory: '${data}' }
service:
  extensions: [file_storage]
  # However slow the machine: what does not get out before is an accident.
  shutdown_timeout: 10m
  telemetry: { metrics: { level: none } }
  pipelines:
    logs/throttled: { receivers: [file_log], processors: [parser, throttle], exporters: [webhook/throttled] }
    logs/alerts: { receivers: [file_log], processors: [parser, stateful_alert], exporters: [webhook/alerts] }
`
}

function told(sink: HttpDestination, path: string): Told {
  const requests = sink.accepted.filter(request => request.path === path)
  return toldBy(requests, body => {
    const { alert, attributes, log_timestamp: time } = JSON.parse(body)
    if (!alert) return `throttled ${attributes.n}`
    // A line counted twice, or forgotten, shows in the count or moves the time.
    const { status, alert_key: key, recovery_reason: reason, duplicate_count: count } = alert
    return `${status} ${key} ${time} ${reason} ${count}`
  })
}
