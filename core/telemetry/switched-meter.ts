import type { Meter, MetricOptions } from '@opentelemetry/api'

/** A meter whose instruments take nothing in while `isOn` says no. Those that observe are asked at a scrape only. */
export function switchedMeter(meter: Meter, isOn: () => boolean): Meter {
  const made = {
    createCounter: (name: string, options?: MetricOptions) =>
      switched(meter.createCounter(name, options), 'add', isOn),
    createUpDownCounter: (name: string, options?: MetricOptions) =>
      switched(meter.createUpDownCounter(name, options), 'add', isOn),
    createHistogram: (name: string, options?: MetricOptions) =>
      switched(meter.createHistogram(name, options), 'record', isOn),
    createGauge: (name: string, options?: MetricOptions) =>
      switched(meter.createGauge(name, options), 'record', isOn),
  }
  return Object.assign(Object.create(meter), made)
}

function switched<T extends object>(instrument: T, method: keyof T, isOn: () => boolean): T {
  const act = instrument[method] as (value: number, attributes?: object) => void
  const guarded = (value: number, attributes?: object): void => {
    if (isOn()) act.call(instrument, value, attributes)
  }
  return Object.assign(Object.create(instrument), { [method]: guarded })
}
