import type { Touch } from '../component/processor.js'
import type { LogRecord, Records } from '../model/index.js'
import type { KeyWork, Visit } from './step-key.js'

/** The touches of a batch by key, in order of arrival; `times`: one for each record. */
export function planVisits<E>(
  records: Records,
  touches: readonly (readonly Touch<E>[])[],
  times: readonly bigint[],
): KeyWork<E>[] {
  const works = new Map<string, KeyWork<E>>()
  // Most records touch nothing, and an iterator of entries makes an object for each.
  for (let record = 0; record < touches.length; record++) {
    const touched = touches[record] as readonly Touch<E>[]
    if (touched.length === 0) continue
    const source = records[record] as LogRecord
    const time = times[record] as bigint
    for (const [slot, { key, data }] of touched.entries()) {
      const work = works.get(key)
      const id = work ? visitId(work.visits, source.id, record) : source.id
      const visit = { record, slot, id, time, data }
      if (work) work.visits.push(visit)
      // A list that begins empty gets room for seventeen with its first, and most keys of a large storm have one.
      else works.set(key, { key, visits: [visit], until: undefined, tried: NOTHING })
    }
  }
  return [...works.values()]
}

const NOTHING: readonly never[] = []

/** A record that touches a key twice has two outcomes there. */
function visitId<E>(visits: readonly Visit<E>[], id: string, record: number): string {
  let earlier = 0
  for (let at = visits.length - 1; visits[at]?.record === record; at--) earlier++
  return earlier === 0 ? id : `${id}\0${earlier}`
}
