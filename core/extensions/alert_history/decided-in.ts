import type { Decided, LogRecord, Records } from 'tocsin/component'
import { saidBy } from './says.js'

/** What a processor that does not tell it by itself decided in a batch, in order; what repeats of an episode as one. */
export function decidedIn(incoming: Records, outgoing: Records, at: bigint): Iterable<Decided> {
  /** By episode and status, between what is new; each in the place of its newest record. */
  const found = new Map<string, Decided>()
  let news = 0
  for (const record of changed(incoming, outgoing)) {
    const said = saidBy(record)
    if (!said) continue
    const isNew = said.status === 'alert' || said.status === 'recovery' || said.status === 'heartbeat_scan'
    if (isNew) news++
    const key = isNew ? `${news}` : `${news}\n${said.status}\n${said.key}\n${said.id}`
    const known = found.get(key)
    found.delete(key)
    found.set(key, { record, at, count: (known?.count ?? 0) + 1, first: known?.first ?? { record, at } })
  }
  return found.values()
}

/** What passed untouched is not looked into: that would decode it. */
function* changed(incoming: Records, outgoing: Records): Iterable<LogRecord> {
  // Else a record became two, or went: they are told apart by their ids, which some make on demand.
  const aligned = incoming.length === outgoing.length
  let next = 0
  for (const [at, record] of outgoing.entries()) {
    const before = incoming[aligned ? at : next]
    if (before === record) next++
    else {
      if (!aligned && before?.id === record.id) next++
      yield record
    }
  }
}
