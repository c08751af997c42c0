import { expect, it } from 'vitest'
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
