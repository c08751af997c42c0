import type { Attributes, Meter, MetricOptions } from '@opentelemetry/api'

export interface SwitchedMeter {
  readonly meter: Meter
  /** Before the instruments are read. */
  flush(): void
}

/**
 * A meter whose instruments take nothing in while `isOn` says no. Those that observe are asked at a scrape only. What is
 * counted under frozen attributes is summed up until they are read: making a key of attributes costs a microsecond, which
 * adds up for each batch of hundreds of pipelines.
 */
export function switchedMeter(meter: Meter, isOn: () => boolean): SwitchedMeter {
  const waiting = new Set<() => void>()
  const made = {
    createCounter: (name: string, options?: MetricOptions) =>
      summed(meter.createCounter(name, options), isOn, waiting),
    createUpDownCounter: (name: string, options?: MetricOptions) =>
      summed(meter.createUpDownCounter(name, options), isOn, waiting),
    createHistogram: (name: string, options?: MetricOptions) =>
      switched(meter.createHistogram(name, options), 'record', isOn),
    createGauge: (name: string, options?: MetricOptions) =>
      switched(meter.createGauge(name, options), 'record', isOn),
  }
  return {
    meter: Object.assign(Object.create(meter), made),
    flush: () => {
      for (const tell of waiting) tell()
      waiting.clear()
    },
  }
}

function summed<T extends { add(value: number, attributes?: Attributes): void }>(
  instrument: T,
  isOn: () => boolean,
  waiting: Set<() => void>,
): T {
  const sums = new Map<Attributes, number>()
  const tell = (): void => {
    for (const [attributes, sum] of sums) instrument.add(sum, attributes)
    sums.clear()
  }
  const add = (value: number, attributes?: Attributes): void => {
    if (!isOn()) return
    if (attributes === undefined || !Object.isFrozen(attributes)) {
      instrument.add(value, attributes)
      return
    }
    if (sums.size === 0) waiting.add(tell)
    sums.set(attributes, (sums.get(attributes) ?? 0) + value)
  }
  return Object.assign(Object.create(instrument), { add })
}

function switched<T extends object>(instrument: T, method: keyof T, isOn: () => boolean): T {
  const act = instrument[method] as (value: number, attributes?: object) => void
  const guarded = (value: number, attributes?: object): void => {
    if (isOn()) act.call(instrument, value, attributes)
  }
  return Object.assign(Object.create(instrument), { [method]: guarded })
}
