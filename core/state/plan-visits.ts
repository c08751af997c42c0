import type { Touch } from '../component/processor.js'
import type { LogRecord, Records } from '../model/index.js'
import type { KeyWork, Visit } from './step-key.js'

/**
 * The times that windows and timers run on. A source whose clock runs ahead must not run everyone's timers: a time
 * counts as `maxAheadNs` after the wall clock at most.
 */
export class EventTimes {
  readonly #latest: bigint

  constructor(
    readonly source: 'event' | 'observed' | undefined,
    readonly now: bigint,
    maxAheadNs: bigint,
  ) {
    this.#latest = now + maxAheadNs
  }

  bound(time: bigint): bigint {
    return time > this.#latest ? this.#latest : time
  }

  of(record: LogRecord): bigint {
    const time = (this.source === 'observed' && record.observedTimestamp) || record.time
    return time === 0n ? this.now : this.bound(time)
  }
}

/** The touches of a batch by key, in order of arrival. */
export function planVisits<E>(
  records: Records,
  touches: readonly (readonly Touch<E>[])[],
  times: EventTimes,
): KeyWork<E>[] {
  const works = new Map<string, KeyWork<E>>()
  for (const [record, touched] of touches.entries()) {
    if (touched.length === 0) continue
    const source = records[record] as LogRecord
    const time = times.of(source)
    for (const [slot, { key, data }] of touched.entries()) {
      let work = works.get(key)
      if (!work) {
        work = { key, visits: [], until: undefined, tried: [] }
        works.set(key, work)
      }
      work.visits.push({ record, slot, id: visitId(work.visits, source.id, record), time, data })
    }
  }
  return [...works.values()]
}

/** A record that touches a key twice has two outcomes there. */
function visitId<E>(visits: readonly Visit<E>[], id: string, record: number): string {
  let earlier = 0
  for (let at = visits.length - 1; visits[at]?.record === record; at--) earlier++
  return earlier === 0 ? id : `${id}\0${earlier}`
}
