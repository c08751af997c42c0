import type { JsonObject } from './json-scalars.js'

/**
 * Whether `decodeFields` surely takes a record, at a glance: its fields are of the common kinds, under their own names.
 * False says nothing. So the usual record is not decoded before someone asks for its fields.
 */
export function surelyFits(record: JsonObject): boolean {
  for (const name in record) {
    const found = record[name]
    switch (name) {
      case 'timeUnixNano':
      case 'observedTimeUnixNano':
        if (typeof found !== 'string' || !NANOSECONDS.test(found)) return false
        break
      case 'severityNumber':
      case 'flags':
      case 'droppedAttributesCount':
        // Flags are unsigned, and a severity number is signed: what both take.
        if (typeof found !== 'number' || (found | 0) !== found || found < 0) return false
        break
      case 'severityText':
      case 'eventName':
        if (typeof found !== 'string') return false
        break
      case 'traceId':
      case 'spanId':
        // An invalid id counts as absent.
        break
      case 'body':
        if (!isScalar(found)) return false
        break
      case 'attributes':
        if (!arePairs(found)) return false
        break
      default:
        return false
    }
  }
  return true
}

const NANOSECONDS = /^\d{1,19}$/
const INTEGER = /^-?\d{1,18}$/

function arePairs(found: unknown): boolean {
  if (!Array.isArray(found)) return false
  for (const pair of found as unknown[]) {
    if (typeof pair !== 'object' || pair === null || Array.isArray(pair)) return false
    for (const name in pair) {
      const part = (pair as JsonObject)[name]
      if (name === 'key' ? typeof part !== 'string' : name !== 'value' || !isScalar(part)) return false
    }
  }
  return true
}

function isScalar(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  for (const kind in value) {
    const found = (value as JsonObject)[kind]
    switch (kind) {
      case 'stringValue':
        if (typeof found !== 'string') return false
        break
      case 'intValue':
        if (typeof found === 'string' ? !INTEGER.test(found) : !Number.isSafeInteger(found)) return false
        break
      case 'boolValue':
        if (typeof found !== 'boolean') return false
        break
      case 'doubleValue':
        if (typeof found !== 'number') return false
        break
      default:
        return false
    }
  }
  return true
}
