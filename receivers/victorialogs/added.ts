import { type Intake, newMap, type Records } from 'tocsin/component'

/** The same intake for records that get some attributes besides, which win over fields of the line. */
export function withAttributes(intake: Intake, attributes: { readonly [name: string]: string } = {}): Intake {
  const added = Object.entries(attributes)
  if (added.length === 0) return intake
  const changed = (records: Records): Records =>
    records.map(record =>
      record.patch({ attributes: newMap([...Object.entries(record.attributes), ...added]) }),
    )
  return {
    offer: records => intake.offer(changed(records)),
    offerAll: (batches, transport) => intake.offerAll(batches.map(changed), transport),
    ready: () => intake.ready(),
    discarded: (reason, count) => intake.discarded(reason, count),
    end: () => intake.end(),
  }
}
