import { type Attributes, ROOT_CONTEXT } from '@opentelemetry/api'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { metricPoints } from './metric-points.js'
import { createMetrics } from './metrics.js'

it('computes nothing while it is switched off, and counts on when it is on', async () => {
  const metrics = createMetrics({})
  const counter = metrics.meter.createCounter('test_counter')
  const upDown = metrics.meter.createUpDownCounter('test_up_down')
  const histogram = metrics.meter.createHistogram('test_histogram')
  const gauge = metrics.meter.createGauge('test_gauge')
  const observed = metrics.meter.createObservableGauge('test_observed')
  observed.addCallback(result => result.observe(7))
  const use = (): void => {
    counter.add(1, { label: 'x' })
    upDown.add(2)
    histogram.record(3)
    gauge.record(4)
  }
  metrics.enable(false)
  use()
  expect(await metrics.scrape()).not.toMatch(/test_(counter|up_down|histogram|gauge)/)
  metrics.enable(true)
  use()
  const text = await metrics.scrape()
  for (const line of [
    'test_counter_total{label="x"} 1',
    'test_up_down 2',
    'test_histogram_sum 3',
    'test_gauge 4',
    'test_observed 7',
  ]) {
    expect(text).toContain(line)
  }
  await metrics.close()
})

it('gives the same numbers as points, under the same names', async () => {
  const metrics = createMetrics({})
  metrics.meter.createCounter('otelcol_exporter_sent_log_records').add(3, { exporter: 'a' })
  metrics.meter.createCounter('tocsin_things').add(2)
  metrics.meter.createCounter('tocsin_named_total').add(1)
  metrics.meter.createUpDownCounter('tocsin_level').add(4)
  metrics.meter.createHistogram('tocsin_seconds').record(0.5, { kind: 'x' })
  metrics.meter.createObservableGauge('tocsin_gauge').addCallback(result => result.observe(7))
  const points = metricPoints(await metrics.collect())
  const text = await metrics.scrape()
  expect(points).toHaveLength(7)
  for (const { name, labels, value } of points) {
    const shown = Object.entries(labels).map(([key, one]) => `${key}="${one}"`)
    expect(text).toContain(`${name}${shown.length > 0 ? `{${shown}}` : ''} ${value}`)
  }
  await metrics.close()
})

it('gathers what counters count, and tells the same as the SDK would', async () => {
  const labels = fc.record(
    { a: fc.constantFrom('x', 'y', undefined), b: fc.constantFrom(1, '1') },
    { requiredKeys: [] },
  )
  const value = fc.oneof(fc.integer({ min: -2, max: 9 }), fc.constant(Number.NaN))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(value, labels, fc.boolean()), { maxLength: 40 }),
      fc.boolean(),
      async (calls, up) => {
        const [gathering, plain] = [createMetrics({}), createMetrics({})]
        const create = ({ meter }: ReturnType<typeof createMetrics>) =>
          up ? meter.createUpDownCounter('test_counter') : meter.createCounter('test_counter')
        const [one, other] = [create(gathering), create(plain)]
        for (const [add, attributes, scraped] of calls) {
          one.add(add, attributes as Attributes)
          // A context makes it go to the SDK at once.
          other.add(add, attributes as Attributes, ROOT_CONTEXT)
          if (scraped) await gathering.scrape()
        }
        const sorted = (text: string) => text.split('\n').sort()
        expect(sorted(await gathering.scrape())).toEqual(sorted(await plain.scrape()))
        await gathering.close()
        await plain.close()
      },
    ),
    runs(),
  )
})
