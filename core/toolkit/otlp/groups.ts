import type { LogRecord, Records } from '../../model/log-record.js'
import type { Resource, Scope } from '../../model/resource.js'

/** The nesting of an ExportLogsServiceRequest, whatever its encoding. */
export interface ResourceGroup {
  readonly resource: Resource
  readonly scopes: readonly ScopeGroup[]
}

/** The records of a scope. */
export interface ScopeGroup {
  readonly scope: Scope
  readonly records: readonly LogRecord[]
}

/**
 * Groups neighbours that share their Resource and Scope (by identity: records of a batch do), so that the order
 * of the records is the order in which a reader finds them.
 */
export function groupRecords(records: Records): readonly ResourceGroup[] {
  const groups: { resource: Resource; scopes: { scope: Scope; records: LogRecord[] }[] }[] = []
  for (const record of records) {
    const { resource, scope } = record
    let group = groups.at(-1)
    if (group?.resource !== resource) {
      group = { resource, scopes: [] }
      groups.push(group)
    }
    const last = group.scopes.at(-1)
    if (last?.scope === scope) last.records.push(record)
    else group.scopes.push({ scope, records: [record] })
  }
  return groups
}
