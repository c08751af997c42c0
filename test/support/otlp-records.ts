import fc from 'fast-check'
import { type AnyValue, createRecord, type LogRecord, pickFields, type RecordInit } from 'tocsin/component'

/** Fields with maps and bytes in a form that `toEqual` compares by content. */
export function comparable(record: LogRecord): unknown {
  const plain = (found: unknown): unknown => {
    if (found instanceof Uint8Array) return { bytes: [...found] }
    if (Array.isArray(found)) return found.map(plain)
    if (typeof found === 'object' && found !== null) {
      return Object.entries(found)
        .map(([key, item]) => [key, plain(item)])
        .sort()
    }
    return found
  }
  return plain(pickFields(record))
}

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const uint32 = fc.nat(0xffffffff)
const text = fc.string({ unit: 'binary' })
const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
    .map(digits => (/^0+$/.test(digits) ? '' : digits))
const { any } = fc.letrec<{ any: AnyValue }>(tie => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    text,
    fc.boolean(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.uint8Array(),
    fc.array(tie('any')),
    fc.dictionary(fc.oneof(text, fc.constant('__proto__')), tie('any'), { noNullPrototype: false }),
  ),
}))
const attributes = fc.dictionary(text, any, { maxKeys: 4, noNullPrototype: false })
const owner = { attributes, droppedAttributesCount: uint32, schemaUrl: text }
const entityRefs = fc.array(
  fc.record({ schemaUrl: text, type: text, idKeys: fc.array(text), descriptionKeys: fc.array(text) }),
  { minLength: 1, maxLength: 2 },
)
const resource = fc.record(
  { ...owner, entityRefs },
  { requiredKeys: Object.keys(owner) as (keyof typeof owner)[] },
)
const scope = fc.record({ name: text, version: text, ...owner })
const fields = fc.record({
  id: fc.constant(''),
  timestamp: uint64,
  observedTimestamp: uint64,
  severityNumber: fc.integer({ min: -5, max: 30 }),
  severityText: text,
  body: any,
  attributes,
  droppedAttributesCount: uint32,
  flags: uint32,
  traceId: hex(32),
  spanId: hex(16),
  eventName: text,
}) satisfies fc.Arbitrary<RecordInit>
/** The records of a request: every field, any value. */
export const otlpRecords = fc
  .array(fc.tuple(resource, scope, fc.array(fields, { minLength: 1, maxLength: 3 })), { maxLength: 4 })
  .map(groups =>
    groups.flatMap(([resource, scope, inits]) =>
      inits.map(init => createRecord({ ...init, resource, scope })),
    ),
  )
