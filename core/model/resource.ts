import { type Attributes, NO_ATTRIBUTES } from './any-value.js'

/** Where records come from: OTLP's Resource with the schema URL that stands beside it on the wire. */
export interface Resource {
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
  readonly schemaUrl: string
  /** In development in OpenTelemetry: carried along, for nothing else. */
  readonly entityRefs?: readonly EntityRef[]
}

/** Which attributes of a Resource identify and describe an entity. */
export interface EntityRef {
  readonly schemaUrl: string
  readonly type: string
  readonly idKeys: readonly string[]
  readonly descriptionKeys: readonly string[]
}

/** The instrumentation scope of records, with the schema URL that stands beside it on the wire. */
export interface Scope {
  readonly name: string
  readonly version: string
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
  readonly schemaUrl: string
}

/** A resource of which nothing is known. */
export const NO_RESOURCE: Resource = Object.freeze({
  attributes: NO_ATTRIBUTES,
  droppedAttributesCount: 0,
  schemaUrl: '',
})

/** A scope of which nothing is known. */
export const NO_SCOPE: Scope = Object.freeze({
  name: '',
  version: '',
  attributes: NO_ATTRIBUTES,
  droppedAttributesCount: 0,
  schemaUrl: '',
})
