import { type LogFields, type LogRecord, pickFields } from '../../component/index.js'

/** A copy of everything in a record, to compare with what it holds later. */
export function snapshot(record: LogRecord): LogFields {
  return structuredClone(pickFields(record))
}
