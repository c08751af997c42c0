import type { Meter, ObservableResult } from '@opentelemetry/api'

/** `tocsin_lease_held`: 1 for the holder. Ends with the function that it answers. */
export function observeLease(meter: Meter, lease: string, held: () => boolean): () => void {
  const gauge = meter.createObservableGauge('tocsin_lease_held', {
    description: '1 in the collector that has the lease, 0 in those that stand by.',
  })
  const observe = (result: ObservableResult): void => result.observe(held() ? 1 : 0, { lease })
  gauge.addCallback(observe)
  return () => gauge.removeCallback(observe)
}
