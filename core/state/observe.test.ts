import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { expect, it } from 'vitest'
import type { ComponentStatus } from '../component/index.js'
import { createRecord } from '../model/index.js'
import { collectingLogger, type LogEntry } from '../testing/index.js'
import { AheadSources } from './ahead-sources.js'
import { keyedObserver } from './observe.js'

it('counts by reason, and tells of a store that fails once', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 })
  const provider = new MeterProvider({ readers: [reader] })
  const logs: LogEntry[] = []
  const statuses: ComponentStatus[] = []
  const observer = keyedObserver({
    meter: provider.getMeter('test'),
    attributes: { processor: 'throttle' },
    logger: collectingLogger(logs),
    aheadSources: new AheadSources(),
    reportStatus: status => statuses.push(status),
  })
  observer.stepped('alert', 2)
  observer.stepped('alert', 1)
  observer.evicted(4)
  observer.raced(5)
  for (let times = 0; times < 3; times++) observer.store(new Error('the disk is full'))
  observer.store(undefined)
  observer.timerFailed('k', new Error('boom'))
  observer.ahead([{ record: createRecord({ id: '1' }), aheadNs: 7_200_000_000_000n }])
  await reader.forceFlush()
  const metrics = exporter.getMetrics()[0]?.scopeMetrics[0]?.metrics ?? []
  expect(
    metrics.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints[0]?.value,
      dataPoints[0]?.attributes,
    ]),
  ).toEqual([
    ['tocsin_keyed_steps', 3, { processor: 'throttle', reason: 'alert' }],
    ['tocsin_keyed_evicted_keys', 4, { processor: 'throttle' }],
    ['tocsin_keyed_lost_races', 5, { processor: 'throttle' }],
    ['tocsin_keyed_store_errors', 3, { processor: 'throttle' }],
    ['tocsin_keyed_timer_errors', 1, { processor: 'throttle' }],
    ['tocsin_keyed_records_ahead', 1, { processor: 'throttle' }],
  ])
  expect(statuses).toEqual([{ status: 'recoverable_error', message: 'the disk is full' }, { status: 'ok' }])
  expect(logs.map(({ level }) => level)).toEqual(['warn', 'info', 'error', 'warn'])
  await provider.shutdown()
})
