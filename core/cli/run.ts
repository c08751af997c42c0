import { errorText, formatProblem } from '../component/index.js'
import { armFailpoints } from '../failpoints.js'
import type { GraphReport } from '../pipeline/graph-host.js'
import { systemClock } from '../service/clock.js'
import { Service } from '../service/service.js'
import type { ServiceSettings } from '../service/settings.js'
import { createServiceManager, type ServiceManager } from '../service/systemd.js'
import { TapServer } from '../service/tap/tap-server.js'
import { createLogger, type RootLogger } from '../telemetry/logger.js'
import { createMetrics } from '../telemetry/metrics.js'
import { observeProcess } from '../telemetry/process-metrics.js'
import { NOT_ALL_DELIVERED, undelivered } from './closing-report.js'
import type { Distribution } from './distribution.js'
import type { CommandIo, ConfigOptions } from './io.js'
import { load } from './load.js'
import { socketOf } from './tap-sockets.js'
import { keepBatchesYoung } from './young-batches.js'

/** Pipelines that the start names. */
const MAX_NAMED = 20
/** For the last lines of the log. */
const LEAVE_MS = 1_000
const SETTLE_MS = 100
const RUNNING = 'Running'
const OLD_CONFIGURATION = 'Running with the old configuration: the new one is invalid, see the log'

/** Runs a collector until a signal, the end of all inputs or a fatal error. The answer is the exit code. */
export async function run(
  distribution: Distribution,
  options: ConfigOptions,
  io: CommandIo,
): Promise<number> {
  keepBatchesYoung()
  const { settings } = await load(distribution, options, io)
  const logger = createLogger({
    level: settings.logs.level,
    encoding: settings.logs.encoding ?? (io.stderr.isTTY ? 'console' : 'json'),
    output: io.stderr,
  })
  const warn = warner(logger)
  warn(settings)
  if (io.env.TOCSIN_FAILPOINTS) {
    armFailpoints(io.env.TOCSIN_FAILPOINTS, io.kill)
    logger.warn('TOCSIN_FAILPOINTS is set: this process will kill itself, to test what a crash leaves.')
  }
  const metrics = createMetrics(
    withoutNulls({
      'service.name': distribution.name,
      'service.version': distribution.version,
      ...settings.resource,
    }),
  )
  const stopObserving = observeProcess(metrics.meter, systemClock)
  let first: ServiceSettings | undefined = settings
  const service = new Service({
    version: distribution.version,
    logger,
    metrics,
    clock: systemClock,
    random: Math.random,
    load: async () => {
      const next = first ?? (await load(distribution, options, io)).settings
      if (!first) warn(next)
      first = undefined
      return next
    },
    apply: next => {
      logger.setLevel(next.logs.level)
      metrics.enable(next.metrics.level !== 'none')
    },
  })
  const tapServer = new TapServer(
    service.taps,
    async () => (await import('../toolkit/ottl/index.js')).compileCondition,
    logger,
  )
  const manager = createServiceManager({
    env: io.env,
    pid: process.pid,
    clock: systemClock,
    logger,
    healthy: () => service.status().status !== 'fatal_error',
  })
  const stopRequested = stopOnSignals(service, manager, logger, io)
  // What keeps the process alive while every timer is unreferenced.
  const alive = setInterval(() => {}, 60_000)
  let failed = 'cannot start'
  try {
    const starting = service.start()
    const early = await Promise.race([starting, stopRequested])
    if (early !== undefined) {
      logger.info(`${early} while starting: stopping when the start is through.`)
      await inTime(starting, settings.shutdownTimeoutMs, 'start')
    }
    failed = 'did not stop cleanly'
    await openTap(tapServer, settings, io, logger)
    announce(service, settings, distribution, logger)
    await manager.ready(RUNNING)
    const signal = await Promise.race([stopRequested, service.ended])
    logger.info(`${signal ?? 'All inputs have ended'}: draining.`)
    await manager.stopping()
    // Nobody waits for the end of a finite input but for its records.
    const finite = signal === undefined
    const stopping = service.stop(finite ? stopRequested : undefined)
    // A reload under way may take its time first.
    const done = await (finite
      ? stopping
      : inTime(stopping, 2 * settings.shutdownTimeoutMs + LEAVE_MS, 'stop'))
    const complete = report(done, finite, logger)
    return leaveSoon(finite && !complete ? NOT_ALL_DELIVERED : 0, io)
  } catch (error) {
    logger.error(`${distribution.name} ${failed}: ${errorText(error)}`)
    return leaveSoon(1, io)
  } finally {
    clearInterval(alive)
    await tapServer.close()
    manager.close()
    stopObserving()
    await metrics.close()
  }
}

/** What cannot be looked at runs all the same. */
async function openTap(
  server: TapServer,
  { tap }: ServiceSettings,
  { env }: CommandIo,
  logger: RootLogger,
): Promise<void> {
  if (!tap) return
  const socket = tap.socket ?? socketOf(env, process.pid)
  try {
    await server.listen(socket)
  } catch (error) {
    logger.warn('Nobody can look on with "tocsin tap".', { socket, reason: errorText(error) })
  }
}

function withoutNulls(attributes: { readonly [name: string]: string | null }): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string] => entry[1] !== null),
  )
}

/** What never ends, as a component waits for something, does not keep a collector that is to stop. */
function inTime<T>(task: Promise<T>, limitMs: number, name: string): Promise<T> {
  const late = systemClock.sleep(limitMs).then(() => {
    throw new Error(`the ${name} did not end within ${limitMs / 1_000} s of being told to stop`)
  })
  return Promise.race([task, late])
}

/** What a component left open (a timer, a socket) does not keep a collector that has stopped. */
function leaveSoon(code: number, io: CommandIo): number {
  setTimeout(() => io.exit(code), LEAVE_MS).unref()
  return code
}

/** Says the warnings of a configuration: at a reload those that the one before did not have. */
function warner(logger: RootLogger): (settings: ServiceSettings) => void {
  let known: ReadonlySet<string> = new Set()
  return ({ warnings, notes = [] }) => {
    for (const note of notes) logger.info(note)
    // Lines move when something is written above them.
    const all = new Map(
      warnings.map(problem => [JSON.stringify({ ...problem, line: 0, column: 0 }), problem]),
    )
    for (const [key, problem] of all) if (!known.has(key)) logger.warn(formatProblem(problem))
    known = new Set(all.keys())
  }
}

/** The first SIGINT or SIGTERM stops gracefully, a second one at once; SIGHUP reloads. */
function stopOnSignals(
  service: Service,
  manager: ServiceManager,
  logger: RootLogger,
  io: CommandIo,
): Promise<string> {
  return new Promise(resolve => {
    let stopping = false
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      io.onSignal(signal, () => {
        if (stopping) {
          logger.error(`A second signal (${signal}): leaving at once.`)
          io.exit(1)
        }
        stopping = true
        resolve(`${signal} received`)
      })
    }
    let reloading: Promise<void> | undefined
    const reload = async (): Promise<void> => {
      logger.info('SIGHUP received: reading the configuration again.')
      await manager.reloading()
      // Signals come in crowds: one reload serves those that came until it began.
      await systemClock.sleep(SETTLE_MS)
      reloading = undefined
      const changed = await service.reload()
      if (!stopping && !reloading) await manager.ready(changed ? RUNNING : OLD_CONFIGURATION)
    }
    io.onSignal('SIGHUP', () => {
      if (stopping) return
      reloading ??= reload().catch(error => {
        logger.error('Neither the new nor the old configuration could be started.', {
          reason: errorText(error),
        })
        io.exit(1)
      })
    })
  })
}

function announce(
  service: Service,
  settings: ServiceSettings,
  { name, version }: Distribution,
  logger: RootLogger,
): void {
  const ids = [...settings.graph.pipelines.keys()]
  const more = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : ''
  const pipelines = `${ids.slice(0, MAX_NAMED).join(', ')}${more}`
  logger.info(`${name} ${version} is running: pipelines ${pipelines}.`)
  for (const line of service.describe()) logger.info(line)
  logger.info('Stop it with Ctrl+C (SIGTERM); read the configuration again with SIGHUP.')
}

/** False when not everything was delivered. */
function report(report: GraphReport, finite: boolean, logger: RootLogger): boolean {
  const { delivered, persisted, dropped, deadLettered, unsettled } = report
  const left = undelivered(report)
  const attributes = { delivered, persisted, dropped, dead_lettered: deadLettered, unsettled }
  if (left === '') logger.info('Stopped.', attributes)
  else logger[finite ? 'error' : 'warn'](`Stopped. Records that were not delivered: ${left}.`, attributes)
  return left === ''
}
