import { type Intake, newMap, type Records } from 'tocsin/component'

/** Records with some attributes besides, which win over fields of the line. */
export function added(records: Records, attributes: { readonly [name: string]: string } = {}): Records {
  const entries = Object.entries(attributes)
  if (entries.length === 0) return records
  return records.map(record =>
    record.patch({ attributes: newMap([...Object.entries(record.attributes), ...entries]) }),
  )
}

/** The same intake for records that get some attributes besides, which win over fields of the line. */
export function withAttributes(intake: Intake, attributes: { readonly [name: string]: string } = {}): Intake {
  if (Object.keys(attributes).length === 0) return intake
  const changed = (records: Records): Records => added(records, attributes)
  return {
    offer: records => intake.offer(changed(records)),
    offerAll: (batches, transport) => intake.offerAll(batches.map(changed), transport),
    ready: () => intake.ready(),
    discarded: (reason, count) => intake.discarded(reason, count),
    end: () => intake.end(),
  }
}
