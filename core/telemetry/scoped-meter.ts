import type { BatchObservableCallback, Meter, Observable, ObservableCallback } from '@opentelemetry/api'

export interface ScopedMeter {
  readonly meter: Meter
  /** Removes the callbacks: what a component observes ends with the component. */
  close(): void
}

/** A meter for one component instance, so that a reload leaves no callback of the old instance behind. */
export function scopedMeter(meter: Meter): ScopedMeter {
  const cleanups: (() => void)[] = []
  const track = <T extends Observable>(instrument: T): T => {
    const { addCallback } = instrument
    const tracked: T = Object.create(instrument)
    tracked.addCallback = (callback: ObservableCallback) => {
      addCallback.call(instrument, callback)
      cleanups.push(() => instrument.removeCallback(callback))
    }
    tracked.removeCallback = callback => instrument.removeCallback(callback)
    originals.set(tracked, instrument)
    return tracked
  }
  const originals = new WeakMap<Observable, Observable>()
  const untrack = (instruments: Observable[]): Observable[] => instruments.map(i => originals.get(i) ?? i)
  return {
    meter: {
      createCounter: (name, options) => meter.createCounter(name, options),
      createUpDownCounter: (name, options) => meter.createUpDownCounter(name, options),
      createHistogram: (name, options) => meter.createHistogram(name, options),
      createGauge: (name, options) => meter.createGauge(name, options),
      createObservableCounter: (name, options) => track(meter.createObservableCounter(name, options)),
      createObservableGauge: (name, options) => track(meter.createObservableGauge(name, options)),
      createObservableUpDownCounter: (name, options) =>
        track(meter.createObservableUpDownCounter(name, options)),
      addBatchObservableCallback: (callback: BatchObservableCallback, instruments: Observable[]) => {
        const real = untrack(instruments)
        // The callback observes the tracked instruments; the SDK knows only its own.
        const unwrapped: BatchObservableCallback = result =>
          callback({
            observe: (i, value, attributes) => result.observe(originals.get(i) ?? i, value, attributes),
          })
        meter.addBatchObservableCallback(unwrapped, real)
        cleanups.push(() => meter.removeBatchObservableCallback(unwrapped, real))
      },
      removeBatchObservableCallback: () => {},
    },
    close() {
      for (const cleanup of cleanups.splice(0)) cleanup()
    },
  }
}
