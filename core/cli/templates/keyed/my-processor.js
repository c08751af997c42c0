import { durationMs, toText } from 'tocsin/component'

/**
 * Hands on the first record of each value of an attribute, and drops the others for a while.
 *
 * @param {import('tocsin/component').ComponentContext<{ attribute: string, window: string, storage?: string }>} context
 * @returns {import('tocsin/component').Keyed<bigint, undefined, boolean>}
 */
export function myProcessor({ config }) {
  const window = BigInt(Math.round(durationMs(config.window) * 1e6))
  return {
    storage: config.storage,
    maxKeys: 100_000,
    // The state of a key is when its window ends, ns since the epoch. JSON has no bigint: hence these.
    state: { encode: String, decode: BigInt },
    // The outcome of a step: whether the record was the first. Stored, for records that come again.
    outcome: { encode: JSON.stringify, decode: JSON.parse },
    select: records =>
      records.map(record => {
        const value = record.attributes[config.attribute]
        return value === undefined ? [] : [{ key: toText(value), data: undefined }]
      }),
    step(end, event) {
      if (end !== undefined && event.time < end) {
        return {
          state: end,
          due: end,
          outcome: event.kind === 'due' ? undefined : false,
          reason: 'in_window',
        }
      }
      if (event.kind === 'due') return { state: undefined, outcome: undefined, reason: 'window_over' }
      const next = event.time + window
      return { state: next, due: next, outcome: true, reason: 'first' }
    },
    join: (record, [first]) => (first ? [record] : []),
  }
}
