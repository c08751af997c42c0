import type { Attributes, Meter } from '@opentelemetry/api'
import type { ComponentStatus, Logger } from '../component/context.js'
import { errorText } from '../component/errors.js'
import type { AheadSources } from './ahead-sources.js'
import type { KeyedObserver } from './runtime-types.js'

export interface KeyedObserverOptions {
  readonly meter: Meter
  /** Which component of which pipeline. */
  readonly attributes: Attributes
  readonly logger: Logger
  readonly aheadSources: AheadSources
  reportStatus(status: ComponentStatus): void
}

/** Metrics, status and log of a keyed runtime. */
export function keyedObserver({
  meter,
  attributes,
  logger,
  aheadSources,
  reportStatus,
}: KeyedObserverOptions): KeyedObserver {
  const counter = (name: string, description: string) => {
    const instrument = meter.createCounter(name, { description })
    return (count: number, more?: Attributes) =>
      instrument.add(count, more ? { ...attributes, ...more } : attributes)
  }
  const steps = counter('tocsin_keyed_steps', 'Decisions about records and timers, by their reason.')
  const evicted = counter(
    'tocsin_keyed_evicted_keys',
    'Keys forgotten because there were more than max_keys.',
  )
  const raced = counter('tocsin_keyed_lost_races', 'Keys that another collector changed first.')
  const storeErrors = counter('tocsin_keyed_store_errors', 'Failed calls of the store; each is tried again.')
  const timerErrors = counter('tocsin_keyed_timer_errors', 'Timers whose step threw.')
  const ahead = counter(
    'tocsin_keyed_records_ahead',
    'Records dated ahead of the clock: they count as of their arrival.',
  )
  let failing = false
  return {
    stepped: (reason, count) => steps(count, { reason }),
    evicted: count => evicted(count),
    raced: count => raced(count),
    store(error) {
      if (error) storeErrors(1)
      if (failing === (error !== undefined)) return
      failing = error !== undefined
      if (error) logger.warn('The pipeline waits for its storage.', { reason: error.message })
      else logger.info('The storage works again: the pipeline goes on.')
      reportStatus(error ? { status: 'recoverable_error', message: error.message } : { status: 'ok' })
    },
    ahead(records) {
      ahead(records.length)
      aheadSources.say(records, logger)
    },
    timerFailed(key, error) {
      timerErrors(1)
      logger.error('A timer failed and will not run again.', { key, reason: errorText(error) })
    },
  }
}
